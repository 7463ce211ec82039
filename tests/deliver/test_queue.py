"""Queue runs: which messages are tried, how, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eximious.deliver.how import How
from eximious.deliver.queue import BadSelection, Run, Selection, ordered_ids, run_queue
from tests.deliver.place import Place

ROUTERS = "all:\n  driver = redirect\n  allow_defer\n  data = :defer: later\n"
MakePlace = Callable[..., Place]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[MakePlace]:
    made: list[Place] = []

    def make(main: str = "") -> Place:
        made.append(Place(tmp_path, main=main, routers=ROUTERS, transports=""))
        return made[-1]

    yield make
    for each in made:
        each.close()


def attempts(there: Place, **facts: Any) -> list[tuple[str, How]]:
    """What a run tries."""
    tried: list[tuple[str, How]] = []
    run_queue(there.services, Run.of(facts), lambda message_id, how: tried.append((message_id, how)))
    return tried


def three(there: Place) -> dict[str, str]:
    """Messages for a, b and c; their recipients by their ids."""
    return {
        there.queue("a@x.ex", sender="one@s.ex", deliver_first_time=True): "a",
        there.queue("b@X.ex", sender="two@s.ex", deliver_first_time=False): "b",
        there.queue("c@y.ex", sender="one@t.ex", deliver_first_time=False, is_frozen=True, frozen_at=1): "c",
    }


@pytest.mark.parametrize(
    ("facts", "tried"),
    [
        ({}, "abc"),
        ({"initial_only": True}, "a"),
        ({"recipient_selection": {"text": "@x.ex"}}, "ab"),
        ({"recipient_selection": {"text": "^[ab]@", "is_regex": True}}, "ab"),
        ({"recipient_selection": {"text": "@y.ex"}}, ""),
        ({"recipient_selection": {"text": "@y.ex", "force_frozen": True}}, "c"),
        ({"recipient_selection": {"text": "@y.ex", "force": True}}, ""),
        ({"recipient_selection": {"text": "@y.ex"}, "force_frozen": True}, "c"),
        ({"sender_selection": {"text": "one@"}}, "a"),
        ({"sender_selection": {"text": "s.ex"}, "recipient_selection": {"text": "b"}}, "b"),
    ],
)
def test_which_messages(place: MakePlace, facts: dict[str, Any], tried: str) -> None:
    there = place("queue_run_in_order")
    names = three(there)
    assert "".join(names[message_id] for message_id, _ in attempts(there, **facts)) == tried


@pytest.mark.parametrize(
    ("facts", "forced", "thawed"),
    [
        ({}, [False, False, False], [False] * 3),
        ({"force": True}, [True] * 3, [False] * 3),
        ({"force_frozen": True}, [True] * 3, [True] * 3),
        # A selection forces the first of its messages: it shows whether the host is back.
        ({"sender_selection": {"text": ".ex"}}, [True, False], [False] * 2),
        ({"sender_selection": {"text": ".ex", "force": True}}, [True, True], [False] * 2),
    ],
)
def test_how(place: MakePlace, facts: dict[str, Any], forced: list[bool], thawed: list[bool]) -> None:
    there = place("queue_run_in_order")
    three(there)
    tried = [how for _, how in attempts(there, **facts)]
    assert [how.forced for how in tried] == forced
    assert [how.thaw for how in tried] == thawed
    assert all(how.in_queue_run for how in tried)


def test_two_stages(place: MakePlace) -> None:
    there = place("queue_run_in_order")
    three(there)
    assert [how.route_only for _, how in attempts(there, two_stage=True)] == [True] * 3 + [False] * 3


def test_order_and_limits(place: MakePlace) -> None:
    there = place("queue_run_in_order")
    ids = sorted(three(there))
    run = Run()
    assert ordered_ids(there.services, run) == ids
    run.first_id, run.last_id = ids[1], ids[1]
    assert ordered_ids(there.services, run) == ids[1:2]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, ""),
        ({"two_stage": True, "force": True}, " -qqf"),
        ({"initial_only": True, "force_frozen": True, "local_only": True}, " -qifl"),
        ({"recipient_selection": {"text": "a", "is_regex": True, "force": True}}, " -Rrf a"),
        ({"sender_selection": {"text": "a"}}, " -S a"),
    ],
)
def test_what_the_log_says(place: MakePlace, facts: dict[str, Any], words: str) -> None:
    there = place()
    attempts(there, **facts)
    start, end = there.log_lines()
    assert start.startswith("Start queue run: pid=")
    assert end.startswith("End queue run: pid=")
    assert start.endswith(words)
    assert end.endswith(words)


def test_a_named_queue(place: MakePlace) -> None:
    there = place()
    three(there)
    assert attempts(there, name="other") == []
    assert there.log_lines()[0].startswith("Start 'other' queue run: pid=")


def test_high_load_ends_a_run(place: MakePlace) -> None:
    there = place("deliver_queue_load_max = 0")
    three(there)
    import os

    if os.getloadavg()[0] > 0:
        assert attempts(there) == []
        assert "Abandon queue run: load average is too high" in there.log_lines()


def test_a_bad_pattern() -> None:
    with pytest.raises(BadSelection):
        Selection("(", is_regex=True)


def test_a_real_run(place: MakePlace) -> None:
    there = place("queue_run_in_order")
    three(there)
    run_queue(there.services, Run())
    lines = [line for line in there.log if "==" in line or "frozen" in line]
    assert lines == ["== a@x.ex R=all defer (-1): later", "== b@x.ex R=all defer (-1): later", "Message is frozen"]

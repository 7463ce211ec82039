"""Message ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.spool.message_id import (
    MessageIds,
    base62,
    from_base62,
    is_message_id,
    new_id,
    received_seconds,
)

FORMS = [
    ("16VDhn-000000001bo-D342", True),
    ("16VDhn-0001bo-D3", True),  # before Exim 4.97
    ("16VDhn-000000001bo-D34", False),
    ("16VDhn-0001bo-D342", False),
    ("16VDhn-000000001bo-D342\n", False),
    ("../../x-000000001bo-D342", False),
    ("16VDhn_000000001bo_D342", False),
    ("", False),
]


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_form(text: str, expected: bool) -> None:
    assert is_message_id(text) is expected


# An Exim with process id 6 made the first of these at 1795559750.794178, without localhost_number.
IDS = [
    (None, 6, 1795559750_794178_000, "1xVz78-00000000006-3KbK"),
    (None, 6, 1795559750_000000_000, "1xVz78-00000000006-0000"),
    (0, 6, 1795559750_794178_000, "1xVz78-00000000006-1fIf"),
    (16, 2**22, 1795559750_999999_000, "1xVz78-0000000Hb84-ZfEl"),
]


@pytest.mark.parametrize(("localhost_number", "pid", "now", "expected"), IDS)
def test_parts(localhost_number: int | None, pid: int, now: int, expected: str) -> None:
    assert MessageIds(localhost_number, lambda: now, pid).new() == expected
    assert received_seconds(expected) == now // 10**9


@given(st.lists(st.integers(0, 10**10), min_size=2, max_size=50), st.sampled_from([None, 0, 7, 16]))
def test_each_is_greater_even_if_the_clock_stands_still_or_goes_back(times: list[int], number: int | None) -> None:
    clock = iter(times)
    ids = MessageIds(number, lambda: 1_795_559_750_000_000_000 + next(clock), 77)
    made = [ids.new() for _ in times]
    assert made == sorted(set(made))
    assert all(map(is_message_id, made))


def test_hosts_of_a_cluster_differ() -> None:
    made = {MessageIds(number, lambda: 10**18, 77).new() for number in range(17)}
    assert len(made) == 17


@given(st.integers(0, 2**64))
def test_base62_round_trip(number: int) -> None:
    assert from_base62(base62(number, 6)) == number


def test_base62_refuses() -> None:
    with pytest.raises(ValueError, match="negative"):
        base62(-1, 1)
    with pytest.raises(ValueError, match="not a base-62 digit"):
        from_base62("a-b")


def test_new_id_is_unique() -> None:
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000

"""When which queue is run."""

from __future__ import annotations

import pytest

from eximious.daemon.schedule import Periodic, Schedule
from eximious.exim.options import parse


def schedule(*words: str, at_most: int = 0) -> Schedule:
    return Schedule(parse(["exim", "-bd", *words]), at_most, now=100.0)


WORDS = [
    ((), "no queue runs"),
    (("-q15m",), "-q15m"),
    (("-qff1h30m",), "-qff1h30m"),
    (("-qqGmailinglist/1h",), "-qqGmailinglist/1h"),
    (("-q10m", "-qGhi/2m"), "-q10m, -qGhi/2m"),
    (("-q25m", "-R", "@example"), "-q25m -R @example"),
]


@pytest.mark.parametrize(("words", "expected"), WORDS)
def test_description(words: tuple[str, ...], expected: str) -> None:
    assert schedule(*words).describe() == expected


def test_the_first_run_is_at_once_and_the_next_after_the_interval() -> None:
    runs = schedule("-q15m")
    assert runs.next_due() == 100.0
    assert len(runs.take_due(100.0)) == 1
    assert runs.take_due(100.0) == []
    assert runs.next_due() == 1000.0
    assert len(runs.take_due(1000.5)) == 1


def test_no_more_at_a_time_than_allowed() -> None:
    runs = schedule("-q1m", at_most=1)
    assert len(runs.take_due(100.0)) == 1
    assert runs.take_due(160.0) == []
    runs.over()
    assert len(runs.take_due(220.0)) == 1


def test_what_a_worker_is_told() -> None:
    (order,) = schedule("-qqGq/1m", "-Rf", "x").take_due(100.0)
    assert order["name"] == "q"
    assert order["two_stage"] is True
    assert order["force"] is True
    assert order["recipient_selection"] == {"text": "x", "is_regex": False}
    assert order["sender_selection"] is None


def test_without_runs_nothing_is_due() -> None:
    assert schedule().next_due() is None


def test_what_comes_round() -> None:
    reports = Periodic(600.0, 100.0, is_wanted=True)
    assert reports.next_due() == 100.0
    assert reports.take_due(100.0)
    assert not reports.take_due(699.0)
    assert reports.take_due(700.0)


def test_what_is_not_wanted_never_comes() -> None:
    reports = Periodic(600.0, 100.0, is_wanted=False)
    assert reports.next_due() is None
    assert not reports.take_due(1e9)

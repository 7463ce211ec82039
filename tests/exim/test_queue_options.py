"""``-q``, ``-R`` and ``-S`` with their flags."""

from __future__ import annotations

from typing import Any

import pytest

from eximious.exim.options import parse

FIRST = "1rYxXx-000000001xy-0abc"
LAST = "1rYxXy-000000001xz-0abc"

RUNS: list[tuple[list[str], dict[str, Any]]] = [
    (["-q"], {"interval": None, "force": False}),
    (["-qf"], {"force": True, "force_frozen": False}),
    (["-qff"], {"force": True, "force_frozen": True}),
    (["-qi"], {"initial_only": True}),
    (["-qif"], {"initial_only": True, "force": True}),
    (["-ql"], {"local_only": True}),
    (["-qfl"], {"force": True, "local_only": True}),
    (["-qq"], {"two_stage": True}),
    (["-qqff"], {"two_stage": True, "force_frozen": True}),
    (["-q15m"], {"interval": 900}),
    (["-qf1h30m"], {"force": True, "interval": 5400}),
    (["-qGname"], {"name": "name", "interval": None}),
    (["-qGname/2m"], {"name": "name", "interval": 120}),
    (["-qqGmailinglist/1h"], {"two_stage": True, "name": "mailinglist", "interval": 3600}),
    (["-q", FIRST], {"first_id": FIRST, "last_id": ""}),
    (["-q", FIRST, LAST], {"first_id": FIRST, "last_id": LAST}),
]


@pytest.mark.parametrize(("words", "expected"), RUNS)
def test_run(words: list[str], expected: dict[str, Any]) -> None:
    (run,) = parse(["exim", *words]).queue_runs
    assert {name: getattr(run, name) for name in expected} == expected


SELECTIONS: list[tuple[list[str], str, str, bool, str]] = [
    (["-R", "text"], "recipient", "text", False, ""),
    (["-Rtext"], "recipient", "text", False, ""),
    (["-Rf", "text"], "recipient", "text", False, "f"),
    (["-Rff", "text"], "recipient", "text", False, "ff"),
    (["-Rr", "^x"], "recipient", "^x", True, ""),
    (["-Rrf", "^x"], "recipient", "^x", True, "f"),
    (["-Rpostmaster"], "recipient", "postmaster", False, ""),
    (["-S", "text"], "sender", "text", False, ""),
    (["-Srff", "x"], "sender", "x", True, "ff"),
    (["-qR", "text"], "recipient", "text", False, ""),
    (["-qqRff", "text"], "recipient", "text", False, "ff"),
    (["-qqSr", "x"], "sender", "x", True, ""),
    (["-qf", "-R", "x"], "recipient", "x", False, "f"),
]


@pytest.mark.parametrize(("words", "whose", "text", "is_regex", "force"), SELECTIONS)
def test_selection(words: list[str], whose: str, text: str, is_regex: bool, force: str) -> None:
    line = parse(["exim", *words])
    chosen = getattr(line, f"{whose}_selection")
    assert (chosen.text, chosen.is_regex) == (text, is_regex)
    (run,) = line.queue_runs
    assert "f" * (run.force + run.force_frozen) == force


def test_several_queues() -> None:
    runs = parse(["exim", "-qGhipri/2m", "-q10m", "-qqGmailinglist/1h"]).queue_runs
    assert [(run.name, run.interval, run.two_stage) for run in runs] == [
        ("hipri", 120, False),
        ("", 600, False),
        ("mailinglist", 3600, True),
    ]

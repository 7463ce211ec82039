"""Prefixes and suffixes of local parts."""

from __future__ import annotations

import pytest

from eximious.routers.affixes import match_prefix, match_suffix

PREFIXES = [
    ("real-bob", ["real-"], (5, "")),
    ("REAL-bob", ["real-"], (5, "")),
    ("bob", ["real-"], None),
    ("a-b-bob", ["*-"], (4, "a-b")),
    ("-bob", ["*-"], (1, "")),
    ("bob", ["*-"], None),
    ("real-bob", ["x-", "*-", "real-"], (5, "real")),
]


@pytest.mark.parametrize(("local_part", "prefixes", "expected"), PREFIXES)
def test_prefix(local_part: str, prefixes: list[str], expected: tuple[int, str] | None) -> None:
    assert match_prefix(local_part, prefixes) == expected


SUFFIXES = [
    ("bob-request", ["-request"], (8, "")),
    ("bob-REQUEST", ["-request"], (8, "")),
    ("bob", ["-request"], None),
    ("bob+a+b", ["+*"], (4, "a+b")),
    ("bob+", ["+*"], (1, "")),
]


@pytest.mark.parametrize(("local_part", "suffixes", "expected"), SUFFIXES)
def test_suffix(local_part: str, suffixes: list[str], expected: tuple[int, str] | None) -> None:
    assert match_suffix(local_part, suffixes) == expected

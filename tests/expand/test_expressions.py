"""Strings and what Exim made of them, in the files below ``expressions``: a line each, the answer after ``= ``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.expand.context import answer

FOLDER = Path(__file__).parent / "expressions"


def records() -> list[tuple[str, str]]:
    """All expressions, each with its answer; in an answer backslashes escape."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        lines = [line for line in path.read_text(encoding="ascii").split("\n") if line and not line.startswith("#")]
        for text, expected in zip(lines[::2], lines[1::2], strict=True):
            found.append((text, expected[2:].encode("ascii").decode("unicode_escape")))
    return found


def differences() -> list[tuple[str, str]]:
    """Expressions for which our answer is another than Exim's, for the reasons that the file gives."""
    found = []
    text = ""
    for line in (FOLDER.parent / "differences.txt").read_text(encoding="ascii").split("\n"):
        if line.startswith("= "):
            found.append((text, line[2:].encode("ascii").decode("unicode_escape")))
        elif line and not line.startswith(("#", "! ")):
            text = line
    return found


def disagreements() -> list[tuple[str, list[str]]]:
    """Expressions of which releases of Exim make different things, and those things."""
    found: list[tuple[str, list[str]]] = []
    for line in (FOLDER.parent / "releases.txt").read_text(encoding="ascii").split("\n"):
        if line.startswith(("< ", "> ")):
            found[-1][1].append(line[2:].encode("ascii").decode("unicode_escape"))
        elif line and not line.startswith("#"):
            found.append((line, []))
    return found


@pytest.mark.parametrize(("text", "possible"), disagreements())
def test_where_releases_disagree_we_are_with_one_of_them(text: str, possible: list[str]) -> None:
    assert answer(text) in possible


@pytest.mark.parametrize(("text", "expected"), records())
def test_expression(text: str, expected: str) -> None:
    assert answer(text) == expected


@pytest.mark.parametrize(("text", "expected"), differences())
def test_difference(text: str, expected: str) -> None:
    assert answer(text) == expected

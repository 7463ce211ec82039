"""How texts become the lines of replies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.receive.replies import LINE_LENGTH, fold, wording

LONG = "word " * 30


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", "550 \r\n"),
        ("one", "550 one\r\n"),
        ("one\ntwo", "550-one\r\n550 two\r\n"),
        ("one\n", "550 one\r\n"),
        ("one\n\n", "550-one\r\n550 \r\n"),
        (" one ", "550  one \r\n"),
        ("553 one", "553 one\r\n"),
        ("553 5.1.2 one\ntwo", "553-5.1.2 one\r\n553 5.1.2 two\r\n"),
        ("453 4.1.2 one", "550 one\r\n"),
        ("5530 one", "550 5530 one\r\n"),
        ("553-one", "550 553-one\r\n"),
    ],
)
def test_lines(text: str, lines: str) -> None:
    assert wording("550", text).lines() == lines


def test_single_line() -> None:
    assert wording("550", "one\ntwo").lines(multiline=False) == "550 one\r\n"


def test_a_wrong_code_is_complained_about() -> None:
    complaints: list[str] = []
    assert wording("550", "453 one", complaints.append).lines() == "550 one\r\n"
    assert complaints == ['configured error code starts with incorrect digit (expected 5) in "453 one"']


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a" * 200, ["a" * 200]),
        ("a" * 74 + " b", ["a" * 74, "b"]),
        ("a" * 76 + " b", ["a" * 76, "b"]),
        ("a" * 40 + ": " + "b" * 20 + " " + "c" * 30, ["a" * 40 + ":", "b" * 20 + " " + "c" * 30]),
        ("a" * 10 + ": " + "b" * 50 + " " + "c" * 30, ["a" * 10 + ": " + "b" * 50, "c" * 30]),
        (LONG, [("word " * 15).strip(), "word " * 15]),
    ],
)
def test_folding(text: str, lines: list[str]) -> None:
    assert fold(text) == lines


@given(st.text(alphabet="ab: \n", max_size=400))
def test_folding_loses_nothing_but_white_space(text: str) -> None:
    lines = fold(text)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all("\n" not in line for line in lines)
    assert all(" " not in line[:-1].rstrip()[LINE_LENGTH + 1 :] for line in lines)

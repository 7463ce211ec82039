"""Answers for each recipient after the data."""

from __future__ import annotations

import pytest

from eximious.receive.prdr import summary

SUMMARIES = [
    (["250", "250"], (250, "id=ID message accepted")),
    (["550", "250"], (250, "id=ID message accepted for some recipients")),
    (["450", "250", "550"], (250, "id=ID message accepted for some recipients")),
    (["550", "550"], (550, "id=ID message rejected for all recipients")),
    # Exim says that the message was accepted for some, and keeps it for nobody.
    (["450", "450"], (450, "id=ID message temporarily rejected for all recipients")),
    (["550", "450"], (450, "id=ID message temporarily rejected for all recipients")),
]


@pytest.mark.parametrize(("codes", "expected"), SUMMARIES)
def test_summary(codes: list[str], expected: tuple[int, str]) -> None:
    assert summary("ID", codes) == expected

"""Reply codes in the text after ``:fail:`` and ``:defer:``, and ``forbid_smtp_code``."""

from __future__ import annotations

import pytest

from eximious.routers.redirect import without_smtp_code

TEXTS = [
    ("551 5.7.1 no way", "no way"),
    ("459 no way", "no way"),
    ("no 551 way", "no 551 way"),
    ("251 fine", "251 fine"),
    ("5512 no way", "5512 no way"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_without_smtp_code(text: str, expected: str) -> None:
    assert without_smtp_code(text) == expected

"""Text from outside in log lines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.logs.printing import entry, printing

TEXTS = [
    ("plain", {}, "plain"),
    ("cli\xc3\xbcnt", {}, r"cli\303\274nt"),
    ("cli\xc3\xbcnt", {"top_bit": True}, "cli\xc3\xbcnt"),
    ("a\nb\rc\td\0e\x7ff", {}, r"a\nb\rc\td\000e\177f"),
    ("a\tb\nc\xff", {"tab": True}, "a\tb\\nc\\377"),
    ("a\tb\nc\xff", {"tab": True, "top_bit": True}, "a\tb\\nc\xff"),
    ("back\\slash", {}, "back\\slash"),
]


@pytest.mark.parametrize(("text", "options", "expected"), TEXTS)
def test_printing(text: str, options: dict[str, bool], expected: str) -> None:
    assert printing(text, **options) == expected


ENTRIES = [
    ("Warning: purging the environment.\n Suggested action: use keep_environment.", None),
    ("two\nlines", r"two\nlines"),
    ("a\r\n b\0", "a\\r\n b\\000"),
    ("tab\tand \xff", None),
    ("end\n\n", "end"),
]


@pytest.mark.parametrize(("text", "expected"), ENTRIES)
def test_entry(text: str, expected: str | None) -> None:
    assert entry(text) == (text if expected is None else expected)


@given(st.text(st.characters(max_codepoint=255)))
def test_nobody_begins_a_line(text: str) -> None:
    assert re.search(r"\n(?![ \t])", entry(text)) is None
    assert re.fullmatch(r"[\x20-\x7e]*", printing(text)) is not None

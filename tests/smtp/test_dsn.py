from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.smtp import dsn


@pytest.mark.parametrize(
    ("value", "flags"), [("NEVER", 8), ("success", 1), ("SUCCESS,FAILURE,DELAY", 7), ("DELAY,FAILURE", 6)]
)
def test_notify(value: str, flags: int) -> None:
    assert dsn.parse_notify(value) == flags
    assert dsn.parse_notify(dsn.format_notify(flags)) == flags


@pytest.mark.parametrize("value", ["", "NEVER,SUCCESS", "FOO", "SUCCESS;FAILURE", ",SUCCESS"])
def test_bad_notify(value: str) -> None:
    with pytest.raises(ValueError, match="NOTIFY"):
        dsn.parse_notify(value)


def test_return() -> None:
    assert [dsn.parse_return(value) for value in ("full", "HDRS")] == [1, 2]
    assert [dsn.format_return(value) for value in (0, 1, 2)] == ["", "FULL", "HDRS"]
    assert dsn.format_notify(0) == ""
    with pytest.raises(ValueError, match="RET"):
        dsn.parse_return("HEADERS")


@given(text=st.text(st.characters(max_codepoint=255), max_size=40))
def test_xtext_round_trip(text: str) -> None:
    encoded = dsn.encode_xtext(text)
    assert dsn.decode_xtext(encoded) == text
    assert all("!" <= c <= "~" and c != "=" for c in encoded)


@pytest.mark.parametrize("text", ["a+", "a+2", "a+2b", "a b", "a=b", "\xe4", "a\n"])
def test_not_xtext(text: str) -> None:
    with pytest.raises(ValueError, match="xtext"):
        dsn.decode_xtext(text)

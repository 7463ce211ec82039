"""The form of hints on disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.hints.record import Callout, Ehlo, Rate, Record, Retry, Stamp, TlsSession, Waiting, decode, encode

KINDS: list[type[Record]] = [Stamp, Retry, Waiting, Callout, Rate, Ehlo, TlsSession]


@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_any_octets_are_a_record_or_nothing(kind: type[Record], data: bytes) -> None:
    record = decode(b"\x01" + data, kind)
    assert record is None or decode(encode(record), kind) is not None


@given(st.binary())
def test_what_is_not_of_this_version_is_absent(data: bytes) -> None:
    assert decode(b"\x02" + data, Stamp) is None


@pytest.mark.parametrize("kind", KINDS)
def test_cut_or_longer_is_absent(kind: type[Record]) -> None:
    data = encode(kind())
    assert decode(data, kind) == kind()
    assert all(decode(data[:length], kind) is None for length in range(len(data)))
    assert decode(data + b"x", kind) is None


def test_characters_beyond_octets_do_not_stop_it() -> None:
    record = Retry()
    record.text = "\u20ac"
    found = decode(encode(record), Retry)
    assert found is not None
    assert found.text == "?"
    assert "Retry(" in repr(found)
    assert record != Stamp()

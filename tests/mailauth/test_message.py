from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.message import Field, Headers, MessageError, split

MESSAGES = [
    (b"A: 1\r\nB: 2\r\n 3\r\n\r\nbody\r\n", [b"A: 1\r\n", b"B: 2\r\n 3\r\n"], b"body\r\n"),
    (b"A: 1\nB: 2\n 3\n\nbody\n", [b"A: 1\r\n", b"B: 2\r\n 3\r\n"], b"body\r\n"),
    (b"From joe Thu\nA: 1\n\nbody", [b"A: 1\r\n"], b"body"),
    (b"A: 1\r\n", [b"A: 1\r\n"], b""),
    (b"A: 1", [b"A: 1\r\n"], b""),
    (b"\r\nbody", [], b"body"),
    (b"", [], b""),
    # Text that is no field ends the header for everybody (Exim bug 3036).
    (b"A: 1\r\nno field\r\nB: 2\r\n\r\nbody", [b"A: 1\r\n"], b"no field\r\nB: 2\r\n\r\nbody"),
    (b"A : 1\r\n\r\n", [b"A : 1\r\n"], b""),
    (b"A: 1\r\n \r\nB: 2\r\n\r\n", [b"A: 1\r\n \r\n", b"B: 2\r\n"], b""),
]


@pytest.mark.parametrize(("message", "fields", "body"), MESSAGES)
def test_split(message: bytes, fields: list[bytes], body: bytes) -> None:
    headers, rest = split(message)
    assert ([field.raw for field in headers.fields], rest) == (fields, body)


def test_chosen() -> None:
    headers = Headers([b"A: 1\r\n", b"B: 2\n", b"a: 3"])
    assert [field.value for field in headers.chosen([b"a", b"a", b"a", b"c", b"b"])] == [b" 3", b" 1", b" 2"]
    assert headers.fields[1].relaxed == b"b:2\r\n"


def test_no_field() -> None:
    with pytest.raises(MessageError):
        Field(b"nonsense\r\n")


@given(st.binary(max_size=200))
def test_nothing_is_lost(message: bytes) -> None:
    headers, body = split(message)
    total = sum(len(field.raw) for field in headers.fields) + len(body)
    assert total <= len(message) + message.count(b"\n") + 2


def test_a_field_shows_itself() -> None:
    assert repr(Field(b"A: 1\r\n")) == "Field(b'A: 1\\r\\n')"

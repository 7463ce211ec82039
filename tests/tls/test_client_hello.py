from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.tls.client_hello import server_name
from eximious.tls.context import ClientContext


def hello(name: str) -> bytes:
    layer = ClientContext().layer(name)
    layer.shake_hands()
    return layer.take_output()


def test_name() -> None:
    octets = hello("mx.example.org")
    assert server_name(octets) == "mx.example.org"
    assert server_name(hello("")) == ""
    for size in range(len(octets)):
        assert server_name(octets[:size]) is None


def test_hello_in_several_records() -> None:
    octets = hello("mx.example.org")
    content = octets[5:]
    split = b"".join(
        octets[:3] + bytes((0, len(piece))) + piece for piece in (content[:3], content[3:50], content[50:200])
    )
    rest = content[200:]
    split += octets[:3] + len(rest).to_bytes(2, "big") + rest
    assert server_name(split) == "mx.example.org"
    for size in range(len(split)):
        assert server_name(split[:size]) is None


@pytest.mark.parametrize(
    "octets",
    [b"EHLO x\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b"\x16\x03\x01\x00\x04\x02\0\0\0",
     b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", b"\x16\x03\x01\x00\x04\x01\0\0\0", b"\x16\x03\x01\x00\x06\x01\0\0\2ab"],
)  # fmt: skip
def test_what_is_none(octets: bytes) -> None:
    assert server_name(octets) == ""


@given(octets=st.binary(max_size=100))
def test_whatever_comes(octets: bytes) -> None:
    server_name(octets)
    server_name(b"\x16\x03\x01\x00\x50\x01\0\0\x4c" + octets)


@given(data=st.data())
def test_a_changed_hello(data: st.DataObject) -> None:
    octets = bytearray(hello("mx.example.org"))
    for _ in range(3):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    server_name(bytes(octets))


def test_endless_hello_ends() -> None:
    record = b"\x16\x03\x01\x00\x01"
    assert server_name(record + b"\x01" + (record + b"\0") * 20_000) is not None

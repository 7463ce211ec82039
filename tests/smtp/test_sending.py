from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.smtp.data import DataReader
from eximious.smtp.sending import TextSender

TEXTS = [
    (b"", b".\r\n"),
    (b".", b"..\r\n.\r\n"),
    (b".\n", b"..\r\n.\r\n"),
    (b"a\n.b\n..c\n", b"a\r\n..b\r\n...c\r\n.\r\n"),
    (b"a\r\n.\r\nb", b"a\r\n..\r\nb\r\n.\r\n"),
    (b"a\r.\nb\r", b"a\r\n..\r\nb\r\n.\r\n"),
    (b"\n.\n", b"\r\n..\r\n.\r\n"),
    (b"\r", b"\r\n.\r\n"),
    (b"a\0b\n", b"a\0b\r\n.\r\n"),
]


def send(pieces: list[bytes], *, stuffs_dots: bool = True) -> bytes:
    sender = TextSender(stuffs_dots=stuffs_dots)
    return b"".join([sender.send(piece) for piece in pieces]) + sender.finish()


@pytest.mark.parametrize(("text", "octets"), TEXTS)
def test_send(text: bytes, octets: bytes) -> None:
    assert send([text]) == octets
    assert send([bytes((octet,)) for octet in text]) == octets


def test_chunks_are_not_stuffed() -> None:
    assert send([b".\na"], stuffs_dots=False) == b".\r\na\r\n"
    assert send([b""], stuffs_dots=False) == b""


TEXT = st.lists(st.sampled_from([b"\n", b".", b"\r", b"a", b"\r\n.\r\n", b"\n.\n", b"\0"]), max_size=30).map(b"".join)


@given(text=TEXT, cuts=st.lists(st.integers(0, 60), max_size=8))
def test_one_message_out_is_one_message_in(text: bytes, cuts: list[int]) -> None:
    places = sorted({cut % (len(text) + 1) for cut in cuts})
    pieces = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    octets = send(pieces)
    assert octets == send([text])
    reader = DataReader()
    reader.feed(b"A: b\r\n\r\n" + octets)
    assert reader.is_complete
    assert reader.rest == b""
    expected = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if expected and not expected.endswith(b"\n"):
        expected += b"\n"
    assert reader.take() == expected

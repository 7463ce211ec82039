"""Line ends and escaped lines, whole and in pieces."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.transports.transform import Transform

CASES = [
    (Transform(), b"From x\n.\n\r\n", b"From x\n.\n\r\n"),
    (Transform(b"From ", b">From "), b"From x\nFrom y\n From z\n", b">From x\n>From y\n From z\n"),
    (Transform(b".", b"..", crlf=True), b".\n..\na.\n", b"..\r\n...\r\na.\r\n"),
    (Transform(crlf=True), b"a\nb\r\nc\rd\n", b"a\r\nb\r\nc\r\nd\r\n"),
    # A lone CR before a dot must not become the end of the message at the next host.
    (Transform(b".", b"..", crlf=True), b"a\r.\rMAIL FROM:<x>\n", b"a\r\n..\r\nMAIL FROM:<x>\r\n"),
    (Transform(b"\1\1\n", b"\1\1 \n"), b"\1\1\n\1\1\nx\1\1\n", b"\1\1 \n\1\1 \nx\1\1\n"),
    (Transform(b".", b".."), b"", b""),
]


@pytest.mark.parametrize(("transform", "text", "expected"), CASES)
def test_whole(transform: Transform, text: bytes, expected: bytes) -> None:
    assert transform.whole(text) == expected
    assert b"".join(transform.pieces([text])) == expected


@given(
    text=st.lists(st.sampled_from([b"\n", b"\r", b".", b"From ", b"F", b"\1\1\n", b"\1", b"x"])).map(b"".join),
    cuts=st.lists(st.integers(0, 40)),
    check=st.sampled_from([b"", b".", b"From ", b"\1\1\n"]),
    crlf=st.booleans(),
)
def test_how_the_text_is_cut_makes_no_difference(text: bytes, cuts: list[int], check: bytes, crlf: bool) -> None:
    transform = Transform(check, b"<" + check, crlf)
    places = sorted({0, len(text), *(cut for cut in cuts if cut <= len(text))})
    chunks = [text[a:b] for a, b in itertools.pairwise(places)]
    assert b"".join(transform.pieces(chunks)) == transform.whole(text)


def test_travels_to_another_process() -> None:
    transform = Transform(b".", b"..", crlf=True)
    assert Transform.of(transform.record()).whole(b".\xff\n") == b"..\xff\r\n"

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.canonical import BodyHashes, relaxed_value

BODIES = [
    # RFC 6376 section 3.4.5, 3.4.4
    (True, b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
    (False, b" C \r\nD \t E\r\n\r\n\r\n", b" C \r\nD \t E\r\n"),
    (True, b"", b""),
    (False, b"", b"\r\n"),
    (True, b"\r\n\r\n", b""),
    (False, b"\r\n\r\n", b"\r\n"),
    (True, b" \r\n\t\r\n", b""),
    (False, b" \r\n", b" \r\n"),
    (True, b"a", b"a\r\n"),
    (False, b"a", b"a\r\n"),
    (True, b"a \t", b"a\r\n"),
    (True, b"a\r", b"a\r\r\n"),
    (False, b"a\r\r\n\r\n", b"a\r\r\n"),
    (True, b"a\n\r\n", b"a\n\r\n"),
    (True, b"\n", b"\n\r\n"),
    (True, b"a \r\n \r\n b\r\n", b"a\r\n\r\n b\r\n"),
    (True, b"a\r\n \rb \r", b"a\r\n \rb \r\r\n"),
]


@pytest.mark.parametrize(("is_relaxed", "body", "canonical"), BODIES)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_bodies(is_relaxed: bool, body: bytes, canonical: bytes, size: int) -> None:
    hashes = BodyHashes()
    whole = hashes.want(is_relaxed=is_relaxed, algorithm="sha256")
    part = hashes.want(is_relaxed=is_relaxed, algorithm="sha1", limit=3)
    assert hashes.want(is_relaxed=is_relaxed, algorithm="sha256") is whole
    for at in range(0, len(body), size):
        hashes.feed(body[at : at + size])
    hashes.finish()
    assert whole.value == hashlib.sha256(canonical).digest()
    assert part.value == hashlib.sha1(canonical[:3]).digest()
    assert (whole.length, part.length) == (len(canonical), len(canonical))


def by_the_book(body: bytes, is_relaxed: bool) -> bytes:
    """Section 3.4.3 and 3.4.4, line by line."""
    lines = body.split(b"\r\n")
    if lines[-1] == b"":
        lines.pop()
    if is_relaxed:
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines and not is_relaxed:
        return b"\r\n"
    return b"".join(line + b"\r\n" for line in lines)


PIECES = [b"a", b"bc", b" ", b"\t", b"  ", b"\r\n", b"\r", b"\n", b"\r\n\r\n"]


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30))
def test_pieces(pieces: list[bytes]) -> None:
    hashes = BodyHashes()
    both = {relaxed: hashes.want(is_relaxed=relaxed, algorithm="sha256") for relaxed in (True, False)}
    for piece in pieces:
        hashes.feed(piece)
    hashes.finish()
    for relaxed, digest in both.items():
        assert digest.value == hashlib.sha256(by_the_book(b"".join(pieces), relaxed)).digest()


def test_many_empty_lines_take_no_room() -> None:
    hashes = BodyHashes()
    digest = hashes.want(is_relaxed=True, algorithm="sha256")
    for _ in range(100):
        hashes.feed(b" \r\n" * 3000)
    hashes.feed(b"end")
    hashes.finish()
    assert digest.value == hashlib.sha256(b"\r\n" * 300_000 + b"end\r\n").digest()


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        (b" X ", b"X"),
        (b" Y\t\r\n\tZ  ", b"Y Z"),
        (b"a\x0b b", b"a\x0b b"),
        (b"a\r b\r\n c", b"a\r b c"),
        (b"", b""),
    ],
)
def test_values(value: bytes, canonical: bytes) -> None:
    assert relaxed_value(value) == canonical


def test_are_wanted() -> None:
    hashes = BodyHashes()
    assert not hashes.are_wanted
    hashes.want(is_relaxed=True, algorithm="sha256")
    assert hashes.are_wanted

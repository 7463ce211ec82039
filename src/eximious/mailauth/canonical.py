"""The canonical forms of RFC 6376 section 3.4, and the hashes of bodies in them, made while the body passes.

>>> hashes = BodyHashes()
>>> digest = hashes.want(is_relaxed=True, algorithm="sha256")
>>> hashes.feed(b"Hello \\t world ")
>>> hashes.feed(b"\\r\\n\\r\\n")
>>> hashes.finish()
>>> digest.value == hashlib.sha256(b"Hello world\\r\\n").digest()
True
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hashlib import _Hash

_FOLD: Final = re.compile(rb"\r\n(?=[ \t])")
_SPACES: Final = re.compile(rb"[ \t]+")
_EMPTY_LINES: Final = b"\r\n" * 4096
_CHUNK: Final = 1 << 20  # octets that are canonicalized at a time


def relaxed_value(value: bytes) -> bytes:
    """A header field's value: unfolded, white space in it one space, none around it."""
    if b"\x0b" in value or b"\x0c" in value or (b"\r" in value and value.count(b"\r") != value.count(b"\r\n")):
        # bytes.split() would take these for white space, too.
        return _SPACES.sub(b" ", _FOLD.sub(b"", value)).strip(b" ")
    return b" ".join(value.split())


def relaxed_text(data: bytes) -> bytes:
    """Body text: white space in lines one space, none at the ends of lines."""
    if b"\t" in data:
        data = data.replace(b"\t", b" ")
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    return data.replace(b" \r\n", b"\r\n")


class Digest:
    """The hash of a canonical body, or of its beginning. `length` counts the octets that it is of."""

    __slots__ = ("_hash", "_left", "length", "limit", "value")

    def __init__(self, algorithm: str, limit: int | None) -> None:
        self._hash: _Hash = hashlib.new(algorithm)
        self._left = limit
        self.limit = limit
        self.length = 0  # octets of the whole canonical body, also beyond the limit
        self.value = b""  # when the body has ended

    def update(self, data: bytes) -> None:
        self.length += len(data)
        if self._left is None:
            self._hash.update(data)
        elif self._left:
            taken = data[: self._left]
            self._left -= len(taken)
            self._hash.update(taken)

    def finish(self) -> None:
        self.value = self._hash.digest()


class _Canonicalizer:
    """Makes one of the forms of a body that comes in pieces, and hands it to hashes.

    White space and line ends that may turn out to be at the body's end are held back: as a number of empty lines, and
    at most two octets.
    """

    __slots__ = ("_has_content", "_held", "_is_relaxed", "_lines", "digests")

    def __init__(self, is_relaxed: bool) -> None:
        self._is_relaxed = is_relaxed
        self._held = b""
        self._lines = 0
        self._has_content = False
        self.digests: list[Digest] = []

    def feed(self, chunk: bytes) -> None:
        data = self._held + chunk if self._held else chunk
        text = data.rstrip(b" \t\r\n" if self._is_relaxed else b"\r\n")
        tail = data[len(text) :]
        if text:
            self._emit(relaxed_text(text) if self._is_relaxed else text)
        if self._is_relaxed:
            tail = relaxed_text(tail)
        held = b""
        if tail.endswith(b"\r"):
            held, tail = b"\r", tail[:-1]
        if self._is_relaxed and tail.endswith(b" "):
            held, tail = b" " + held, tail[:-1]
        self._held = held
        if not tail:
            return
        if tail.count(b"\r\n") * 2 != len(tail):
            # Single CRs and LFs are text like any other.
            marked = tail.replace(b"\r\n", b"\0")
            lines = len(marked) - len(marked.rstrip(b"\0"))
            self._emit(tail[: len(tail) - 2 * lines])
            tail = tail[len(tail) - 2 * lines :]
        self._lines += len(tail) // 2

    def _emit(self, data: bytes) -> None:
        lines = self._lines
        self._lines = 0
        self._has_content = True
        for digest in self.digests:
            left = lines
            while left:
                step = min(left, 4096)
                digest.update(_EMPTY_LINES[: 2 * step])
                left -= step
            digest.update(data)

    def finish(self) -> None:
        if self._held.endswith(b"\r"):
            self._emit(self._held)
        if self._has_content or not self._is_relaxed:
            self._lines = 0
            for digest in self.digests:
                digest.update(b"\r\n")
        for digest in self.digests:
            digest.finish()


class BodyHashes:
    """All the hashes of one body that somebody wants, each made once. What is wanted must be said before `feed`."""

    __slots__ = ("_canonicalizers", "_digests")

    def __init__(self) -> None:
        self._canonicalizers: dict[bool, _Canonicalizer] = {}
        self._digests: dict[tuple[bool, str, int | None], Digest] = {}

    @property
    def are_wanted(self) -> bool:
        """Somebody wants a hash; if not, there is no need to `feed` anything."""
        return bool(self._digests)

    def want(self, *, is_relaxed: bool, algorithm: str, limit: int | None = None) -> Digest:
        """The hash of the body in one form, of its first `limit` octets if that is not None."""
        key = (is_relaxed, algorithm, limit)
        digest = self._digests.get(key)
        if digest is None:
            digest = self._digests[key] = Digest(algorithm, limit)
            if is_relaxed not in self._canonicalizers:
                self._canonicalizers[is_relaxed] = _Canonicalizer(is_relaxed)
            self._canonicalizers[is_relaxed].digests.append(digest)
        return digest

    def feed(self, chunk: bytes) -> None:
        """The next part of the body; it may end anywhere. Its line ends are CRLF."""
        for canonicalizer in self._canonicalizers.values():
            for at in range(0, len(chunk), _CHUNK):
                canonicalizer.feed(chunk if len(chunk) <= _CHUNK else chunk[at : at + _CHUNK])

    def finish(self) -> None:
        """The body has ended: the digests have their values."""
        for canonicalizer in self._canonicalizers.values():
            canonicalizer.finish()

"""Parts and hashes of texts, which exist both as items and as operators."""

from __future__ import annotations

from typing import Final

from eximious.errors import ExpandError

_LETTERS: Final = "abcdefghijklmnopqrtsuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

# The weights of successive octets in `numeric_hash`, over and over. They cannot change: mailboxes are spread by them.
_WEIGHTS: Final = (
    *(113, 109, 107, 103, 101, 97, 89, 83, 79, 73, 71, 67, 61, 59, 53),
    *(47, 43, 41, 37, 31, 29, 23, 19, 17, 13, 11, 7, 5, 3),
)


def head(text: str, length: int) -> str:
    """The first `length` octets."""
    return text[:length]


def part(text: str, start: int, length: int | None) -> str:
    """`length` octets from `start` on; a negative start counts from the end, and may lie before the beginning.

    Without a length: everything after the start, or, for a negative start, everything before it.
    """
    size = len(text)
    if start < 0:
        if length is None:
            return text[: max(0, size + start)]
        begin = size + start
        if begin < 0:
            length += begin
            begin = 0
        return text[begin : begin + length] if length > 0 else ""
    return text[start:] if length is None else text[start : start + length]


def letter_hash(text: str, length: int, letters: int | None) -> str:
    """A hash of `length` letters, the first `letters` of a to z, A to Z and 0 to 9; a short text stays as it is."""
    letters = letters or 26
    if letters > len(_LETTERS):
        raise ExpandError(f'hash count "{letters}" too big')
    if length >= len(text) or length == 0:
        return text[:length]
    octets = text.encode("latin-1")
    mixed = bytearray(octets[:length])
    for position in range(length, len(octets)):
        octet = octets[position]
        turn = (octet + position) & 7
        mixed[(position - length) % length] ^= (octet << turn & 255) | octet >> (8 - turn)
    return "".join(_LETTERS[octet % letters] for octet in mixed)


def numeric_hash(text: str, limit: int, second: int | None) -> str:
    """A number below `limit`; with a second limit two numbers with a slash between."""
    total = 0
    octets = text.encode("latin-1")
    for start in range(0, len(octets), len(_WEIGHTS)):
        total += sum(map(int.__mul__, octets[start : start + len(_WEIGHTS)], _WEIGHTS))
    total &= 0xFFFFFFFF
    if second is None:
        return str(total % limit)
    total %= limit * second
    return f"{total // second}/{total % second}"

"""Diffie-Hellman groups by name (RFC 2409, RFC 3526, RFC 7919), computed from the formulas that define them."""

from __future__ import annotations

from typing import Final

# Bits and the addend in p = 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + addend); generator 2.
_MODP: Final = {
    "ike1": (768, 149686),
    "ike2": (1024, 129093),
    "ike5": (1536, 741804),
    "ike14": (2048, 124476),
    "ike15": (3072, 1690314),
    "ike16": (4096, 240904),
    "ike17": (6144, 929484),
    "ike18": (8192, 4743158),
}
# The same with e for pi.
_FFDHE: Final = {
    "ffdhe2048": (2048, 560316),
    "ffdhe3072": (3072, 2625351),
    "ffdhe4096": (4096, 5736041),
    "ffdhe6144": (6144, 15705020),
    "ffdhe8192": (8192, 10965728),
}
DEFAULT: Final = "ffdhe2048"
# Groups without a published derivation, which nobody should use any more: the default stands in for them.
_REPLACED: Final = frozenset(
    {"ike22", "ike23", "ike24", "default", "exim.dev.20160529.1", "exim.dev.20160529.2", "exim.dev.20160529.3"}
)
_GUARD: Final = 64  # bits of precision beyond what is needed


def prime(name: str) -> int | None:
    """The prime of a named group; None if there is no such group."""
    name = name.lower()
    if name in _REPLACED:
        name = DEFAULT
    if name in _MODP:
        bits, addend = _MODP[name]
        constant = _pi(bits - 130)
    elif name in _FFDHE:
        bits, addend = _FFDHE[name]
        constant = _e(bits - 130)
    else:
        return None
    return int(2**bits - 2 ** (bits - 64) - 1 + 2**64 * (constant + addend))


def _e(bits: int) -> int:
    """floor(2^bits * e)."""
    one = 1 << (bits + _GUARD)
    total = term = one
    number = 1
    while term:
        term //= number
        total += term
        number += 1
    return total >> _GUARD


def _pi(bits: int) -> int:
    """floor(2^bits * pi), by Machin's formula."""
    one = 1 << (bits + _GUARD)
    return 4 * (4 * _arc_cotangent(5, one) - _arc_cotangent(239, one)) >> _GUARD


def _arc_cotangent(x: int, one: int) -> int:
    total = term = one // x
    divisor = 3
    sign = -1
    while term:
        term //= x * x
        total += sign * (term // divisor)
        sign = -sign
        divisor += 2
    return total


def parameters(name: str) -> bytes | None:
    """A named group as PEM (PKCS #3); None if there is no such group."""
    p = prime(name)
    if p is None:
        return None
    import binascii

    content = _integer(p) + _integer(2)
    text = binascii.b2a_base64(b"\x30" + _length(len(content)) + content, newline=False)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN DH PARAMETERS-----", *lines, b"-----END DH PARAMETERS-----", b""])


def _integer(value: int) -> bytes:
    octets = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + _length(len(octets)) + octets


def _length(size: int) -> bytes:
    if size < 128:
        return bytes((size,))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def bits_in(path: str) -> int:
    """The size of the prime in a PEM file. Raises OSError, ValueError."""
    import binascii

    with open(path, "rb") as file:
        text = file.read(65536)
    _, begin, rest = text.partition(b"-----BEGIN DH PARAMETERS-----")
    if not begin:
        raise ValueError("no DH parameters in it")
    der = binascii.a2b_base64(rest.partition(b"-----END")[0])
    return _first_integer(der).bit_length()


def _first_integer(der: bytes) -> int:
    """The first integer of a sequence of integers."""
    try:
        start = _after_length(der, 0, 0x30)[0]
        start, size = _after_length(der, start, 0x02)
    except IndexError:
        raise ValueError("malformed DH parameters") from None
    return int.from_bytes(der[start : start + size], "big")


def _after_length(der: bytes, position: int, tag: int) -> tuple[int, int]:
    if der[position] != tag:
        raise ValueError("malformed DH parameters")
    size = der[position + 1]
    position += 2
    if size & 0x80:
        octets = size & 0x7F
        size = int.from_bytes(der[position : position + octets], "big")
        position += octets
    return position, size

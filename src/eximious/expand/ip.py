"""IP addresses as text and as numbers."""

from __future__ import annotations

import socket


def ip_version(text: str) -> int:
    """4 or 6 for the text of an IP address (an IPv6 one may have a ``%scope``), 0 for anything else."""
    return 0 if (packed := pack(text)) is None else 4 if len(packed) == 4 else 6


def pack(text: str) -> bytes | None:
    """The octets of the address, most significant first; None if the text is not an address."""
    try:
        if ":" in text:
            return socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
        return socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return None


def unpack(address: bytes) -> str:
    """The usual text of an address."""
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def mask(address: bytes, bits: int) -> bytes:
    """The address with everything after the first `bits` bits cleared."""
    size = len(address) * 8
    number = int.from_bytes(address, "big") >> (size - bits) << (size - bits)
    return number.to_bytes(len(address), "big")

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


def reversed_parts(address: bytes) -> str:
    """The address backwards with dots between, as the DNS has it: ``9.2.0.192``, or nibbles for IPv6."""
    if len(address) == 4:
        return ".".join(str(octet) for octet in reversed(address))
    return ".".join(reversed(address.hex()))


def reverse_name(text: str) -> str:
    """The name under which the DNS has the PTR record of an address. The text must be an address."""
    address = pack(text)
    assert address is not None
    return f"{reversed_parts(address)}.{'in-addr' if len(address) == 4 else 'ip6'}.arpa"


def without_mapping(address: bytes) -> bytes:
    """The IPv4 address for an IPv6 one that only wraps it (``::ffff:192.0.2.1``); others as they are."""
    return address[12:] if len(address) == 16 and address.startswith(b"\0" * 10 + b"\xff\xff") else address

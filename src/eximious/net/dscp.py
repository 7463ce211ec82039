"""Differentiated services code points: how the packets of a connection are marked (RFC 2474, 2597, 3246)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from eximious.net.stream import Stream

# Values of the whole octet, of which the code point is the upper six bits; the last ones are RFC 1349's words.
NAMES: Final = {
    **{f"af{n}{m}": (8 * n + 2 * m) << 2 for n in range(1, 5) for m in range(1, 4)},
    **{f"cs{n}": n << 5 for n in range(8)},
    "default": 0,
    "ef": 46 << 2,
    "lowcost": 0x02,
    "lowdelay": 0x10,
    "mincost": 0x02,
    "reliability": 0x04,
    "throughput": 0x08,
}

SocketOption = tuple[int, int, int]  # level, name and value


def socket_option(text: str, *, is_ipv6: bool) -> SocketOption | None:
    """What a code point by name or number (0 to 0x3F) asks of a socket; None for one that does not exist."""
    import socket

    value = NAMES.get(text.lower())
    if value is None:
        try:
            value = int(text, 0) << 2
        except ValueError:
            return None
        if not 0 <= value < 256:
            return None
    if is_ipv6:
        return (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, value)
    return (socket.IPPROTO_IP, socket.IP_TOS, value)


def mark(stream: Stream, text: str) -> None:
    """Mark what is sent from now on. What is no code point changes nothing, nor does what the system does not allow."""
    option = socket_option(text, is_ipv6=":" in stream.peer.address)
    if option is not None and stream.socket is not None:
        with suppress(OSError):
            stream.socket.setsockopt(*option)

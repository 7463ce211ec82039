"""Names of differentiated services code points, for the dscp option of the smtp transport (RFC 2474, 2597, 3246)."""

from __future__ import annotations

import socket
from typing import Final

# Values of the whole octet, of which the code point is the upper six bits.
NAMES: Final = {
    **{f"af{n}{m}": (8 * n + 2 * m) << 2 for n in range(1, 5) for m in range(1, 4)},
    **{f"cs{n}": n << 5 for n in range(8)},
    "ef": 46 << 2,
    "default": 0,
    "lowcost": 0x02,
    "lowdelay": 0x10,
    "mincost": 0x02,
    "reliability": 0x04,
    "throughput": 0x08,
}


def socket_option(text: str, *, is_ipv6: bool) -> tuple[int, int, int] | None:
    """Level, name and value for a code point by name or number; None for one that does not exist."""
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

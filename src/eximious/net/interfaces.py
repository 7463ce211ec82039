"""The IP addresses of this machine, as the kernel tells them."""

from __future__ import annotations

import socket
import struct
from typing import Final

# linux/rtnetlink.h, linux/netlink.h, linux/if_addr.h
NETLINK_ROUTE: Final = 0
RTM_NEWADDR: Final = 20
RTM_GETADDR: Final = 22
NLM_REQUEST_DUMP: Final = 0x301  # NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH
NLMSG_DONE: Final = 3
NLMSG_ERROR: Final = 2
IFA_ADDRESS: Final = 1
IFA_LOCAL: Final = 2
HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence, port
ADDRESS: Final = struct.Struct("=BBBBi")  # family, prefix length, flags, scope, interface
ATTRIBUTE: Final = struct.Struct("=HH")  # length, type


def running_addresses() -> list[str]:
    """All addresses of all interfaces, without zones; only the loopback addresses if the kernel does not answer."""
    try:
        return _ask_kernel()
    except (OSError, struct.error):
        return ["127.0.0.1", "::1"]


def _ask_kernel() -> list[str]:
    addresses: list[str] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as kernel:
        kernel.settimeout(5)
        request = ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        kernel.send(HEADER.pack(HEADER.size + len(request), RTM_GETADDR, NLM_REQUEST_DUMP, 1, 0) + request)
        while _take(kernel.recv(65536), addresses):
            pass
    return addresses


def _take(answer: bytes, addresses: list[str]) -> bool:
    """Note the addresses in one piece of the answer; False if it was the last."""
    position = 0
    while position + HEADER.size <= len(answer):
        length, kind, _, _, _ = HEADER.unpack_from(answer, position)
        if kind in (NLMSG_DONE, NLMSG_ERROR) or length < HEADER.size:
            return False
        if kind == RTM_NEWADDR:
            address = _address(answer[position + HEADER.size : position + length])
            if address and address not in addresses:
                addresses.append(address)
        position += _aligned(length)
    return True


def _address(body: bytes) -> str:
    family = body[0]
    if family not in (socket.AF_INET, socket.AF_INET6):
        return ""
    size = 4 if family == socket.AF_INET else 16
    found: dict[int, bytes] = {}
    position = ADDRESS.size
    while position + ATTRIBUTE.size <= len(body):
        length, kind = ATTRIBUTE.unpack_from(body, position)
        if length < ATTRIBUTE.size:
            break
        found[kind] = body[position + ATTRIBUTE.size : position + length]
        position += _aligned(length)
    octets = found.get(IFA_LOCAL) or found.get(IFA_ADDRESS) or b""
    return socket.inet_ntop(family, octets) if len(octets) == size else ""


def _aligned(length: int) -> int:
    return (length + 3) & ~3

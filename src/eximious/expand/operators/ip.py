"""IP addresses."""

from __future__ import annotations

import re

from eximious.errors import ExpandError
from eximious.expand.ip import mask as masked
from eximious.expand.ip import pack, reversed_parts, unpack, without_mapping
from eximious.expand.operator import operator

_MASK = re.compile(r"/[0-9]*\Z")
_MASKED = re.compile(r"([^/]*)/([0-9]*)\Z")


def _packed(text: str) -> bytes:
    found = pack(text)
    if found is None:
        raise ExpandError(f'"{text}" is not an IP address')
    return found


def _as_ipv6(text: str) -> bytes:
    found = _packed(text)
    return found if len(found) == 16 else b"\0" * 10 + b"\xff\xff" + found


def groups(address: bytes, separator: str = ":") -> str:
    """An IPv6 address as eight groups of four digits."""
    digits = address.hex()
    return separator.join(digits[start : start + 4] for start in range(0, 32, 4))


@operator("mask", suffix="word")
def mask(text: str, word: str = "") -> str:
    """The network of an address with a mask length; IPv6 with dots between its groups, or in short form for ``_n``."""
    found = _MASKED.match(text)
    address = pack(text.partition("/")[0])
    if address is None:
        raise ExpandError(f'"{text}" is not an IP address')
    if "/" not in text:
        raise ExpandError(f'missing mask value in "{text}"')
    if found is None:
        raise ExpandError(f'"{text}" is not an IP address')
    bits = int(found[2][:5] or "0")
    if bits > len(address) * 8:
        raise ExpandError(f'mask value too big in "{text}"')
    network = masked(address, bits)
    if len(network) == 4:
        return f"{unpack(network)}/{bits}"
    return f"{short(network) if word == 'n' else groups(network, '.')}/{bits}"


@operator("reverse_ip")
def reverse_ip(text: str) -> str:
    """The address backwards, as DNS block lists want it: ``192.0.2.9`` gives ``9.2.0.192``. A mask is left out."""
    address = pack(_MASK.sub("", text))
    if address is None:
        raise ExpandError(f"reverse_ip() not given an IP address [{text}]")
    return reversed_parts(without_mapping(address))


def short(address: bytes) -> str:
    """An IPv6 address without leading zeros, and with the longest run of zero groups (the first of equals) left out.

    Even a single group is left out, and what looks like an IPv4 address is not written as one.
    """
    parts = [f"{int.from_bytes(address[start : start + 2], 'big'):x}" for start in range(0, 16, 2)]
    best, length = 0, 0
    start = 0
    while start < 8:
        end = start
        while end < 8 and parts[end] == "0":
            end += 1
        if end - start > length:
            best, length = start, end - start
        start = max(end, start + 1)
    if not length:
        return ":".join(parts)
    return ":".join(parts[:best]) + "::" + ":".join(parts[best + length :])


@operator("ipv6norm")
def ipv6norm(text: str) -> str:
    """An IPv6 address in its shortest form; an IPv4 one as a mapped IPv6 one."""
    return short(_as_ipv6(text))


@operator("ipv6denorm")
def ipv6denorm(text: str) -> str:
    """An IPv6 address in full; an IPv4 one as a mapped IPv6 one."""
    return groups(_as_ipv6(text))

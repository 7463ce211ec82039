"""Reading a PROXY header from the beginning of a connection."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from eximious.proxyprotocol.crc32c import crc32c
from eximious.proxyprotocol.header import CRC32C, SSL, UNIQUE_ID, UNIQUE_ID_LIMIT, Header, split_tlvs

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
V1_LIMIT: Final = 107  # octets with the CRLF
V2_FIXED: Final = 16  # octets before the addresses; the length of the rest has two octets, so it bounds itself

_V1: Final = re.compile(
    rb"PROXY (?:UNKNOWN[^\r\n]*|(TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (\d{1,5}) (\d{1,5}))\r\n"
)
_V1_BEGINNING: Final = b"PROXY "


class ProxyError(ValueError):
    """What came is no PROXY header, or one that does not hold what it must."""


def parse(octets: bytes) -> tuple[Header, int] | None:
    """The header, and how many octets it takes; None until more octets come. Raises ProxyError.

    Whatever is behind the header is the client's: TLS or SMTP.
    """
    if octets[:12] == SIGNATURE[: len(octets)]:
        return _parse_v2(octets)
    if octets[:6] == _V1_BEGINNING[: len(octets)]:
        return _parse_v1(octets)
    raise ProxyError("no PROXY header")


def _parse_v1(octets: bytes) -> tuple[Header, int] | None:
    end = octets.find(b"\n", 0, V1_LIMIT) + 1
    if not end:
        if len(octets) >= V1_LIMIT:
            raise ProxyError("version 1 header is too long")
        return None
    line = _V1.fullmatch(octets[:end])
    if line is None:
        raise ProxyError("malformed version 1 header")
    header = Header(1)
    if line[1] is not None:
        family = IPv4Address if line[1] == b"TCP4" else IPv6Address
        try:
            header.source_address = str(family(line[2].decode("ascii")))
            header.destination_address = str(family(line[3].decode("ascii")))
        except ValueError:
            raise ProxyError("malformed address in version 1 header") from None
        header.source_port = _port(line[4])
        header.destination_port = _port(line[5])
    return header, end


def _port(text: bytes) -> int:
    port = int(text)
    if port > 65535 or (len(text) > 1 and text[:1] == b"0"):
        raise ProxyError("malformed port in version 1 header")
    return port


def _parse_v2(octets: bytes) -> tuple[Header, int] | None:
    if len(octets) < V2_FIXED:
        if len(octets) > 12:
            _check_version(octets[12])
        return None
    is_local = _check_version(octets[12])
    end = V2_FIXED + (octets[14] << 8 | octets[15])
    if len(octets) < end:
        return None
    header = Header(2, is_local=is_local)
    content = octets[V2_FIXED:end]
    if is_local:
        return header, end  # "must discard this information", addresses and TLVs
    size = _read_addresses(header, octets[13], content)
    tlvs = split_tlvs(content[size:])
    if tlvs is None:
        raise ProxyError("malformed TLVs")
    header.tlvs = tlvs
    _check_checksum(header, octets[:end], V2_FIXED + size)
    _check_tlvs(header)
    return header, end


def _check_version(octet: int) -> bool:
    """True for the command LOCAL, False for PROXY."""
    if octet not in (0x20, 0x21):
        raise ProxyError("unknown version or command")
    return octet == 0x20


def _read_addresses(header: Header, family: int, content: bytes) -> int:
    """Take the addresses; how many octets they have."""
    match family >> 4:
        case 0:
            return 0  # a protocol that the proxy has no name for: the connection's own addresses count
        case 1:
            size, kind = 4, IPv4Address
        case 2:
            size, kind = 16, IPv6Address  # type: ignore[assignment]
        case _:
            raise ProxyError("address family is not supported")
    if family & 15 != 1:
        raise ProxyError("transport protocol is not supported")
    total = 2 * size + 4
    if len(content) < total:
        raise ProxyError("addresses are cut off")
    header.source_address = str(kind(content[:size]))
    header.destination_address = str(kind(content[size : 2 * size]))
    header.source_port = content[2 * size] << 8 | content[2 * size + 1]
    header.destination_port = content[2 * size + 2] << 8 | content[2 * size + 3]
    return total


def _check_checksum(header: Header, octets: bytes, position: int) -> None:
    """The checksum covers the whole header, with zeros in its own place; the TLVs begin at `position`."""
    for type, value in header.tlvs:
        place = position + 3
        position = place + len(value)
        if type == CRC32C and (
            len(value) != 4 or crc32c(octets[:place] + b"\0\0\0\0" + octets[position:]) != int.from_bytes(value, "big")
        ):
            raise ProxyError("checksum is wrong")


def _check_tlvs(header: Header) -> None:
    if len(header.tlv(UNIQUE_ID) or b"") > UNIQUE_ID_LIMIT:
        raise ProxyError("unique id is too long")
    tls = header.tlv(SSL)
    if tls is not None and (len(tls) < 5 or split_tlvs(tls[5:]) is None):
        raise ProxyError("malformed TLS information")

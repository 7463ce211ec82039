"""Writing a PROXY header, for connections made on somebody's behalf."""

from __future__ import annotations

from ipaddress import ip_address

from eximious.proxyprotocol.crc32c import crc32c
from eximious.proxyprotocol.header import CRC32C, Header
from eximious.proxyprotocol.parse import SIGNATURE


def build_v1(header: Header) -> bytes:
    """The header as one line of text; TLVs have no place in it. Raises ValueError for addresses that are none."""
    if not header.is_known:
        return b"PROXY UNKNOWN\r\n"
    source, destination = ip_address(header.source_address), ip_address(header.destination_address)
    if source.version != destination.version:
        raise ValueError("addresses of two families")
    ports = f"{header.source_port} {header.destination_port}"
    return f"PROXY TCP{source.version} {source} {destination} {ports}\r\n".encode("ascii")


def build_v2(header: Header, *, with_checksum: bool = False) -> bytes:
    """The header as octets. A checksum among the TLVs is left out; `with_checksum` adds the right one.

    Raises ValueError for addresses that are none, and if there is too much of it.
    """
    content = b""
    family = 0
    if header.is_known and not header.is_local:
        source, destination = ip_address(header.source_address), ip_address(header.destination_address)
        if source.version != destination.version:
            raise ValueError("addresses of two families")
        family = 0x11 if source.version == 4 else 0x21
        content = source.packed + destination.packed
        content += header.source_port.to_bytes(2, "big") + header.destination_port.to_bytes(2, "big")
    for type, value in header.tlvs:
        if type != CRC32C:
            content += build_tlv(type, value)
    size = len(content) + (7 if with_checksum else 0)
    if size > 65535:
        raise ValueError("too much for one header")
    octets = SIGNATURE + bytes((0x20 if header.is_local else 0x21, family)) + size.to_bytes(2, "big") + content
    if not with_checksum:
        return octets
    checksum = crc32c(octets + build_tlv(CRC32C, b"\0\0\0\0"))
    return octets + build_tlv(CRC32C, checksum.to_bytes(4, "big"))


def build_tlv(type: int, value: bytes) -> bytes:
    """One TLV. Raises ValueError if the value is too long."""
    if len(value) > 65535:
        raise ValueError("too much for one TLV")
    return bytes((type,)) + len(value).to_bytes(2, "big") + value

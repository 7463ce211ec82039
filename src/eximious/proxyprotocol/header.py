"""What a PROXY header says."""

from __future__ import annotations

from typing import Final

# Types of TLVs, section 2.2.
ALPN: Final = 0x01
AUTHORITY: Final = 0x02
CRC32C: Final = 0x03
NOOP: Final = 0x04
UNIQUE_ID: Final = 0x05
SSL: Final = 0x20
NETNS: Final = 0x30
AWS: Final = 0xEA
AZURE: Final = 0xEE

# Types within the SSL TLV.
SSL_VERSION: Final = 0x21
SSL_CN: Final = 0x22
SSL_CIPHER: Final = 0x23
SSL_SIGNATURE: Final = 0x24
SSL_KEY: Final = 0x25

# Bits of `Tls.flags`.
CLIENT_USED_TLS: Final = 0x01
CERTIFICATE_ON_CONNECTION: Final = 0x02
CERTIFICATE_IN_SESSION: Final = 0x04

UNIQUE_ID_LIMIT: Final = 128  # octets


class Tls:
    """What the proxy knows of the client's TLS: texts are "" where it does not say."""

    __slots__ = ("cipher", "common_name", "flags", "key", "signature", "verify", "version")

    def __init__(self, flags: int, verify: int) -> None:
        self.flags = flags
        self.verify = verify  # 0 if the client's certificate was there and good
        self.version = ""
        self.common_name = ""
        self.cipher = ""
        self.signature = ""
        self.key = ""

    @property
    def is_used(self) -> bool:
        """The client spoke TLS with the proxy."""
        return bool(self.flags & CLIENT_USED_TLS)

    @property
    def is_verified(self) -> bool:
        """The client had a certificate, and it was good."""
        return bool(self.flags & (CERTIFICATE_ON_CONNECTION | CERTIFICATE_IN_SESSION)) and self.verify == 0


class Header:
    """One header. Without addresses (`is_known` false) the connection's own are the right ones."""

    __slots__ = (
        "destination_address",
        "destination_port",
        "is_local",
        "source_address",
        "source_port",
        "tlvs",
        "version",
    )

    def __init__(self, version: int = 2, *, is_local: bool = False) -> None:
        self.version = version
        self.is_local = is_local  # the proxy speaks for itself (a health check)
        self.source_address = ""  # the client
        self.source_port = 0
        self.destination_address = ""  # where the client connected to
        self.destination_port = 0
        self.tlvs: list[tuple[int, bytes]] = []  # type and value, in order

    @property
    def is_known(self) -> bool:
        """The addresses are there."""
        return bool(self.source_address)

    def tlv(self, type: int) -> bytes | None:
        """The value of the first TLV of a type; None if there is none."""
        for known, value in self.tlvs:
            if known == type:
                return value
        return None

    def _text(self, type: int) -> str:
        return (self.tlv(type) or b"").decode("latin-1")

    @property
    def alpn(self) -> str:
        """The protocol that the client asked for; octets in str, "" if it is not said."""
        return self._text(ALPN)

    @property
    def authority(self) -> str:
        """The host name that the client asked for (SNI)."""
        return self._text(AUTHORITY)

    @property
    def unique_id(self) -> str:
        """The proxy's name for the connection, in hexadecimal digits."""
        return (self.tlv(UNIQUE_ID) or b"").hex()

    @property
    def network_namespace(self) -> str:
        """The name of a network namespace."""
        return self._text(NETNS)

    @property
    def aws_endpoint(self) -> str:
        """The identity of a VPC endpoint at Amazon."""
        value = self.tlv(AWS) or b""
        return value[1:].decode("latin-1") if value[:1] == b"\x01" else ""

    @property
    def azure_link(self) -> int | None:
        """The identity of a private endpoint at Azure."""
        value = self.tlv(AZURE) or b""
        return int.from_bytes(value[1:5], "little") if len(value) == 5 and value[0] == 1 else None

    @property
    def tls(self) -> Tls | None:
        """What is known of the client's TLS."""
        value = self.tlv(SSL)
        if value is None:
            return None
        tls = Tls(value[0], int.from_bytes(value[1:5], "big"))
        for type, octets in _tlvs_in_ssl(value):
            text = octets.decode("latin-1")
            match type:
                case 0x21:
                    tls.version = text
                case 0x22:
                    tls.common_name = text
                case 0x23:
                    tls.cipher = text
                case 0x24:
                    tls.signature = text
                case 0x25:
                    tls.key = text
        return tls


def _tlvs_in_ssl(value: bytes) -> list[tuple[int, bytes]]:
    found = split_tlvs(value[5:])
    assert found is not None, "checked when the header was read"
    return found


def split_tlvs(octets: bytes) -> list[tuple[int, bytes]] | None:
    """The TLVs in a row of octets; None if they do not come out even."""
    found: list[tuple[int, bytes]] = []
    position = 0
    while position < len(octets):
        if position + 3 > len(octets):
            return None
        length = octets[position + 1] << 8 | octets[position + 2]
        end = position + 3 + length
        if end > len(octets):
            return None
        found.append((octets[position], octets[position + 3 : end]))
        position = end
    return found

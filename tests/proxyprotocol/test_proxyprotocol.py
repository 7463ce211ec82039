from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.proxyprotocol import header as names
from eximious.proxyprotocol.build import build_tlv, build_v1, build_v2
from eximious.proxyprotocol.crc32c import crc32c
from eximious.proxyprotocol.header import Header
from eximious.proxyprotocol.parse import SIGNATURE, V1_LIMIT, ProxyError, parse


def known(version: int = 2, source: str = "192.0.2.1", destination: str = "192.0.2.2") -> Header:
    header = Header(version)
    header.source_address, header.source_port = source, 64000
    header.destination_address, header.destination_port = destination, 25
    return header


def fields(header: Header) -> tuple[str, int, str, int]:
    return header.source_address, header.source_port, header.destination_address, header.destination_port


V1 = [
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 64000 25\r\n", ("192.0.2.1", 64000, "192.0.2.2", 25)),
    (b"PROXY TCP6 2001:DB8::1 2001:db8:0::2 64000 25\r\n", ("2001:db8::1", 64000, "2001:db8::2", 25)),
    (b"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", ("0.0.0.0", 0, "255.255.255.255", 65535)),
    (b"PROXY UNKNOWN\r\n", ("", 0, "", 0)),
    (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", ("", 0, "", 0)),
]


@pytest.mark.parametrize(("octets", "expected"), V1)
def test_version_1(octets: bytes, expected: tuple[str, int, str, int]) -> None:
    for size in range(len(octets)):
        assert parse(octets[:size]) is None
    found = parse(octets + b"\x16\x03\x01")
    assert found is not None
    header, size = found
    assert (fields(header), size, header.version, header.is_local) == (expected, len(octets), 1, False)
    assert header.is_known == bool(expected[0])


BAD_V1 = [
    b"EHLO x\r\n",
    b"PROXYTCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 64000 25\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 64000 25 \r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 64000\r\n",
    b"PROXY TCP4 192.0.2.1  192.0.2.2 64000 25\r\n",
    b"PROXY TCP4 192.0.2 192.0.2.2 64000 25\r\n",
    b"PROXY TCP4 ::1 ::2 64000 25\r\n",
    b"PROXY TCP6 192.0.2.1 192.0.2.2 64000 25\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 25\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 -1 25\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 01 25\r\n",
    b"PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n",
    b"PROXY TCP4 192.0.2.1%x 192.0.2.2 1 25\r\n",  # CVE-2023-42117
    b"PROXY UNKNOWN" + b" " * V1_LIMIT,
    b"PROXY \r\n",
]


@pytest.mark.parametrize("octets", BAD_V1)
def test_no_version_1(octets: bytes) -> None:
    with pytest.raises(ProxyError):
        parse(octets)


def v2(command: int = 0x21, family: int = 0x11, content: bytes = b"", length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return SIGNATURE + bytes((command, family)) + size.to_bytes(2, "big") + content


IPV4 = b"\x7f\0\0\2\x7f\x2a\x2a\x2a\xc2\x95\4\1"
IPV6 = b"\x20\1\x0d\xb8" + b"\0" * 11 + b"\1" + b"\x20\1\x0d\xb8" + b"\0" * 11 + b"\2" + b"\xfa\0\0\x19"

V2 = [
    (v2(content=IPV4), ("127.0.0.2", 49813, "127.42.42.42", 1025), False),
    (v2(family=0x21, content=IPV6), ("2001:db8::1", 64000, "2001:db8::2", 25), False),
    (v2(command=0x20, content=IPV4), ("", 0, "", 0), True),
    (v2(command=0x20, family=0), ("", 0, "", 0), True),
    (v2(command=0x20, family=0x31, content=b"x" * 300), ("", 0, "", 0), True),
    (v2(family=0), ("", 0, "", 0), False),
]


@pytest.mark.parametrize(("octets", "expected", "is_local"), V2)
def test_version_2(octets: bytes, expected: tuple[str, int, str, int], is_local: bool) -> None:
    for size in range(len(octets)):
        assert parse(octets[:size]) is None
    found = parse(octets + b"EHLO x\r\n")
    assert found is not None
    header, size = found
    assert (fields(header), header.is_local, size, header.version) == (expected, is_local, len(octets), 2)


BAD_V2 = [
    SIGNATURE[:11] + b"x",
    SIGNATURE + b"\x11",
    SIGNATURE + b"\x22",
    v2(command=0x31, content=IPV4),
    v2(family=0x12, content=IPV4),
    v2(family=0x31, content=b"/" * 216),
    v2(family=0x41, content=IPV4),
    v2(content=IPV4[:-1]),
    v2(family=0x21, content=IPV4),
    v2(content=IPV4 + b"\1"),
    v2(content=IPV4 + b"\1\0\5abc"),
    v2(content=IPV4 + b"\5\0\x81" + b"x" * 129),
    v2(content=IPV4 + b"\3\0\4\0\0\0\0"),
    v2(content=IPV4 + b"\3\0\3\0\0\0"),
    v2(content=IPV4 + b"\x20\0\4\0\0\0\0"),
    v2(content=IPV4 + b"\x20\0\6\0\0\0\0\0\x21"),
]


@pytest.mark.parametrize("octets", BAD_V2)
def test_no_version_2(octets: bytes) -> None:
    with pytest.raises(ProxyError):
        parse(octets)


def test_tlvs() -> None:
    header = known()
    tls = b"\7\0\0\0\0" + b"".join(
        build_tlv(kind, text)
        for kind, text in (
            (names.SSL_VERSION, b"TLSv1.3"),
            (names.SSL_CN, b"client"),
            (names.SSL_CIPHER, b"TLS_AES_128_GCM_SHA256"),
            (names.SSL_SIGNATURE, b"SHA256"),
            (names.SSL_KEY, b"RSA2048"),
            (0x99, b"?"),
        )
    )
    header.tlvs = [
        (names.NOOP, b"\0" * 500),  # Exim refuses headers of this size; load balancers send larger ones
        (names.ALPN, b"smtp"),
        (names.AUTHORITY, b"mx.example"),
        (names.UNIQUE_ID, b"\xab\xcd"),
        (names.SSL, tls),
        (names.NETNS, b"blue"),
        (names.AWS, b"\1vpce-1"),
        (names.AZURE, b"\1\1\0\0\0"),
        (names.CRC32C, b"wrong, and replaced"),
    ]
    octets = build_v2(header, with_checksum=True)
    found = parse(octets)
    assert found is not None
    read, _ = found
    assert (read.alpn, read.authority, read.unique_id) == ("smtp", "mx.example", "abcd")
    assert (read.network_namespace, read.aws_endpoint, read.azure_link) == ("blue", "vpce-1", 1)
    information = read.tls
    assert information is not None
    assert (information.version, information.common_name) == ("TLSv1.3", "client")
    assert (information.cipher, information.signature, information.key) == (
        "TLS_AES_128_GCM_SHA256",
        "SHA256",
        "RSA2048",
    )
    assert information.is_used
    assert information.is_verified
    checksum_type = len(octets) - 7  # changed, there is no checksum any more
    for position in (*range(16, checksum_type), *range(checksum_type + 1, len(octets))):
        changed = bytearray(octets)
        changed[position] ^= 0x40
        with pytest.raises(ProxyError):
            parse(bytes(changed))


def test_without_tlvs() -> None:
    header = known()
    assert (header.tls, header.alpn, header.unique_id, header.azure_link, header.aws_endpoint) == (
        None,
        "",
        "",
        None,
        "",
    )
    header.tlvs = [(names.SSL, b"\1\0\0\0\1"), (names.AWS, b"\2x"), (names.AZURE, b"\1")]
    assert header.tls is not None
    assert header.tls.is_used
    assert not header.tls.is_verified
    assert (header.azure_link, header.aws_endpoint) == (None, "")


@pytest.mark.parametrize(
    "header", [known(), known(source="2001:db8::1", destination="2001:db8::2"), Header(), Header(is_local=True)]
)
@pytest.mark.parametrize("with_checksum", [False, True])
def test_what_is_built_can_be_read(header: Header, with_checksum: bool) -> None:
    found = parse(build_v2(header, with_checksum=with_checksum))
    assert found is not None
    assert fields(found[0]) == fields(header)
    assert found[0].is_local == header.is_local
    if not header.is_local:
        found = parse(build_v1(header))
        assert found is not None
        assert fields(found[0]) == fields(header)


def test_what_cannot_be_built() -> None:
    for build in (build_v1, build_v2):
        with pytest.raises(ValueError, match="two families"):
            build(known(destination="::1"))
        with pytest.raises(ValueError, match="x"):
            build(known(source="x"))
    header = known()
    header.tlvs = [(1, b"x" * 65536)]
    with pytest.raises(ValueError, match="TLV"):
        build_v2(header)
    header.tlvs = [(1, b"x" * 40000)] * 2
    with pytest.raises(ValueError, match="header"):
        build_v2(header)


@pytest.mark.parametrize(("octets", "checksum"), [(b"", 0), (b"123456789", 0xE3069283), (b"\0" * 32, 0x8A9136AA)])
def test_crc32c(octets: bytes, checksum: int) -> None:
    assert crc32c(octets) == checksum


@given(octets=st.binary(max_size=60), start=st.sampled_from([b"", b"PROXY ", SIGNATURE, SIGNATURE + b"\x21\x11\0\x20"]))
def test_whatever_comes(octets: bytes, start: bytes) -> None:
    data = start + octets
    try:
        found = parse(data)
    except ProxyError:
        return
    if found is not None:
        assert found[1] <= len(data)
        _ = found[0].tls, found[0].unique_id, found[0].azure_link

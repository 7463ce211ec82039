"""dnspython is the judge: what it writes must read alike here, and it must read what is written here."""

from __future__ import annotations

import contextlib

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.dns import wire
from eximious.dns.answer import Record
from eximious.dns.wire import BadName, MalformedResponse

RECORDS: list[tuple[str, str, object]] = [
    ("A", "192.0.2.1", "192.0.2.1"),
    ("AAAA", "2001:db8::1", "2001:db8::1"),
    ("MX", "10 mail.example.org.", (10, "mail.example.org")),
    ("MX", "0 .", (0, ".")),
    ("CNAME", "www.example.org.", "www.example.org"),
    ("NS", "ns.example.org.", "ns.example.org"),
    ("PTR", "host.example.org.", "host.example.org"),
    ("DNAME", "example.com.", "example.com"),
    ("TXT", '"a b" "c"', (b"a b", b"c")),
    ("TXT", '""', (b"",)),
    ("SPF", '"v=spf1 -all"', (b"v=spf1 -all",)),
    ("SRV", "1 2 25 mail.example.org.", (1, 2, 25, "mail.example.org")),
    ("SOA", "ns.example.org. root.example.org. 1 2 3 4 5", ("ns.example.org", "root.example.org", 1, 2, 3, 4, 5)),
    ("TLSA", "3 1 0 ABCDEF", (3, 1, 0, b"\xab\xcd\xef")),
    ("CAA", '0 issue "ca.example"', (0, "issue", b"ca.example")),
    ("TYPE65280", "\\# 2 abcd", b"\xab\xcd"),
]


def response(kind: str, data: str, name: str = "example.org.") -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    made = dns.message.make_response(query)
    made.answer.append(dns.rrset.from_text(name, 300, "IN", kind, data))
    return made


@pytest.mark.parametrize(("kind", "text", "data"), RECORDS)
def test_records(kind: str, text: str, data: object) -> None:
    decoded = wire.decode(response(kind, text).to_wire())
    assert decoded.answer == [Record("example.org", kind, 300, data)]
    assert decoded.question == ("example.org", kind)
    assert repr(decoded.answer[0]) == f"Record('example.org', {kind}, 300, {data!r})"


@pytest.mark.parametrize(("kind", "text", "data"), RECORDS)
def test_cut_messages_are_refused(kind: str, text: str, data: object) -> None:
    octets = response(kind, text).to_wire()
    for size in range(len(octets)):
        with pytest.raises(MalformedResponse):
            wire.decode(octets[:size])


@given(octets=st.binary(max_size=80))
def test_cve_2023_42119_nothing_else_is_raised(octets: bytes) -> None:
    for data in (octets, octets[:2] + b"\x81\x80\0\1\0\1\0\0\0\1" + octets):
        with contextlib.suppress(MalformedResponse):
            wire.decode(data)


@given(data=st.data())
def test_no_change_of_a_response_does_harm(data: st.DataObject) -> None:
    kind, text, _ = data.draw(st.sampled_from(RECORDS))
    octets = bytearray(response(kind, text).to_wire())
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(2, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedResponse):
        wire.decode(bytes(octets))


NAMES = [
    ("example.org", b"\7example\3org\0"),
    ("example.org.", b"\7example\3org\0"),
    (".", b"\0"),
    ("", b"\0"),
    ("a\\.b.c", b"\3a.b\1c\0"),
    ("a\\032b.c", b"\3a b\1c\0"),
    ("\\\\.c", b"\1\\\1c\0"),
    ("\xe4.c", b"\1\xe4\1c\0"),
    ("_25._tcp.a", b"\3_25\4_tcp\1a\0"),
]


@pytest.mark.parametrize(("name", "octets"), NAMES)
def test_names(name: str, octets: bytes) -> None:
    assert wire.encode_name(name) == octets
    decoded, after = wire.decode_name(octets, 0)
    assert after == len(octets)
    assert wire.encode_name(decoded) == octets


@pytest.mark.parametrize("name", ["a..b", ".a", "a" * 64, "a." * 128, "a...", "..", "a\\..b.."])
def test_bad_names(name: str) -> None:
    with pytest.raises(BadName):
        wire.encode_name(name)


def test_cve_2026_40684_strange_octets_in_names_are_escaped() -> None:
    assert wire.decode_name(b'\7a.b"\n\0\x7f\4\xff $;\0', 0)[0] == 'a\\.b\\"\\010\\000\\127.\\255\\032\\$\\;'


@given(labels=st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=6))
def test_names_agree_with_dnspython(labels: list[bytes]) -> None:
    octets = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    name, _ = wire.decode_name(octets, 0)
    assert wire.encode_name(name) == octets
    assert dns.name.from_text(name + ".").to_wire() == octets


@pytest.mark.parametrize(
    "octets",
    [b"\xc0\0", b"\xc0\2\0", b"\1a\xc0\0", b"\x40a\0", b"\x80a\0", b"\5ab", b"\1", b"\xc0", b"\1a" * 128 + b"\0"],
)
def test_malformed_names(octets: bytes) -> None:
    with pytest.raises((MalformedResponse, IndexError)):
        wire.decode_name(octets, 0)


def test_compression_goes_back() -> None:
    octets = b"\3org\0\7example\xc0\0\4mail\xc0\5"
    assert wire.decode_name(octets, 15) == ("mail.example.org", len(octets))


@pytest.mark.parametrize(("edns", "dnssec_ok"), [(False, False), (True, False), (True, True)])
def test_query(edns: bool, dnssec_ok: bool) -> None:
    query = dns.message.from_wire(wire.encode_query(7, "example.org", "MX", edns=edns, dnssec_ok=dnssec_ok))
    assert query.id == 7
    assert query.question[0].name.to_text() == "example.org."
    assert query.question[0].rdtype == dns.rdatatype.MX
    assert query.edns == (0 if edns else -1)
    assert bool(query.ednsflags & dns.flags.DO) == dnssec_ok
    assert bool(query.flags & dns.flags.AD) == dnssec_ok
    assert query.flags & dns.flags.RD


def test_flags_and_sections() -> None:
    made = response("A", "192.0.2.1")
    made.flags |= dns.flags.AA | dns.flags.AD
    made.authority.append(dns.rrset.from_text("org.", 60, "IN", "NS", "ns.org."))
    made.use_edns(0)
    decoded = wire.decode(made.to_wire())
    assert (decoded.is_authoritative, decoded.is_authentic, decoded.is_truncated) == (True, True, False)
    assert [record.name for record in decoded.authority] == ["org"]
    assert decoded.rcode == 0


def test_extended_response_code() -> None:
    made = response("A", "192.0.2.1")
    made.use_edns(0)
    made.set_rcode(dns.rcode.BADVERS)
    assert wire.decode(made.to_wire()).rcode == 16


def test_truncated_message_is_not_read_further() -> None:
    made = response("A", "192.0.2.1")
    made.flags |= dns.flags.TC
    decoded = wire.decode(made.to_wire()[:-3])
    assert decoded.is_truncated
    assert decoded.answer == []


def test_a_query_is_no_response() -> None:
    with pytest.raises(MalformedResponse):
        wire.decode(wire.encode_query(1, "a", "A", edns=False, dnssec_ok=False))


def test_cve_2012_5671_large_texts() -> None:
    text = " ".join('"' + "x" * 255 + '"' for _ in range(250))
    decoded = wire.decode(response("TXT", text).to_wire(max_size=65535))
    assert decoded.answer[0].data == (b"x" * 255,) * 250


@pytest.mark.parametrize(
    ("kind", "data"),
    [(1, b"123"), (28, b"123"), (16, b"\5abc"), (15, b"\0\1"), (33, b"\0\1\0\1\0"), (6, b"\0\0abc"), (52, b"\1"),
     (257, b"\0\\9x"), (12, b""), (12, b"\5ab")],
)  # fmt: skip
def test_malformed_data(kind: int, data: bytes) -> None:
    record = b"\1a\0" + kind.to_bytes(2, "big") + b"\0\1\0\0\0\1" + len(data).to_bytes(2, "big") + data
    with pytest.raises(MalformedResponse):
        wire.decode(b"\0\1\x81\x80\0\0\0\1\0\0\0\0" + record)


def test_negative_ttl_is_none() -> None:
    record = b"\1a\0\0\1\0\1\xff\xff\xff\xff\0\4\1\2\3\4"
    assert wire.decode(b"\0\1\x81\x80\0\0\0\1\0\0\0\0" + record).answer[0].ttl == 0

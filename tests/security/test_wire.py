"""Octets in some format from elsewhere (DNS, PROXY, JSON, SPF, what was stored): an answer or an error."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eximious.dns.wire import MalformedResponse, decode
from eximious.hints import record as hints_record
from eximious.hints.memory import MemoryHints
from eximious.hints.record import Callout, Rate
from eximious.mailauth.resolver import StaticResolver
from eximious.mailauth.spf import Result, check_mail_from
from eximious.proxyprotocol.parse import ProxyError
from eximious.proxyprotocol.parse import parse as parse_proxy
from eximious.spool.message import Header
from eximious.taint import Tainted
from tests.expand.context import answer, make_context
from tests.security.place import server

# --- DNS --------------------------------------------------------------------------------------------------------------

HEADER = struct.pack("!HHHHHH", 1, 0x8180, 0, 1, 0, 0)


def record(kind: int, data: bytes, length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return HEADER + b"\1x\0" + struct.pack("!HHIH", kind, 1, 60, size) + data


CRAFTED = [
    record(16, b"\xff" + b"a" * 10),  # a string longer than the record
    record(16, b"\xff" + b"a" * 255, 65535),
    record(12, b"\xc0\x0c"),
    record(12, b"\xc0\x17"),  # a name that points to itself
    record(12, b"\x3f" + b"a" * 10),
    record(15, b"\0"),
    record(28, b"\0" * 3),
    record(52, b"\1"),
    record(257, b"\0\xff" + b"issue"),
    record(33, b"\0" * 6),
    HEADER,
    HEADER[:11],
    b"",
]


@pytest.mark.parametrize("octets", CRAFTED)
def test_cve_2023_42119(octets: bytes) -> None:
    """Records that lie about their lengths."""
    try:
        decode(octets)
    except MalformedResponse:
        return


def test_cve_2012_5671() -> None:
    """A TXT record as long as one can be."""
    chunks = (b"\xff" + b"k" * 255) * 250
    assert sum(len(part) for part in decode(record(16, chunks)).answer[0].data) == 255 * 250


@pytest.mark.parametrize("label", [b"\0\xff\\.\n", b"a b", b"${run{x}}", b"\r\nX: y", b"%s%n", b"'\"`;", b"\x7f" * 63])
def test_cve_2026_40684(label: bytes) -> None:
    """Names from the DNS with octets that do not print: written out."""
    name = bytes([len(label)]) + label + b"\4test\0"
    shown = str(decode(record(12, name)).answer[0].data)
    assert all("!" <= character <= "~" for character in shown)
    assert shown.endswith(".test")


# --- PROXY, JSON, UTF-8 -----------------------------------------------------------------------------------------------


@given(st.binary(max_size=100))
def test_cve_2023_42117(octets: bytes) -> None:
    for beginning in (b"PROXY TCP4 ", b"PROXY TCP6 ", b"\r\n\r\n\0\r\nQUIT\n", b""):
        try:
            parse_proxy(beginning + octets)
        except ProxyError:
            continue


JSON = ['{"a":', '{"a', "{", '{"a":"\\', "[1,2", '{"a":[[[[', '"', "", '{"a":"\xff"}', '{"a"}', "[" * 5000]


@pytest.mark.parametrize("text", JSON)
def test_cve_2026_40685(text: str) -> None:
    """JSON that ends too soon."""
    context = make_context()
    context.message.sender = Tainted(text)
    for expression in ("${extract json{a}{$sender_address}}", "${extract json{1}{$sender_address}}"):
        assert answer(expression, context) is not None
    assert answer("${extract json{a}{$sender_address}{$value}{none}}", context) is not None


@pytest.mark.parametrize("text", ["\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xff\xfe", "=?utf-8?Q?=C3?=", "=?utf-8?B?w?="])
def test_cve_2026_40686(text: str) -> None:
    """Headers whose UTF-8 ends in the middle of a character."""
    context = make_context()
    context.message.headers = [Header(f"From: {text}\n", "F")]
    for expression in ("$h_from:", "${utf8clean:$h_from:}", "${from_utf8:$h_from:}", "${rfc2047d:$h_from:}"):
        assert answer(expression, context) is not None


# --- SPF --------------------------------------------------------------------------------------------------------------

MACROS = [
    "%{d0}", "%{d999}", "%{d99999999999999999999}", "%{dr-.+,/_=}", "%{s1r", "%", "%%", "%{", "%{}", "%{x}",
    "%{i" + "r" * 300 + "}", "%{l-}" * 200, "%{S0r}", "%{D1-}.%{d1-}", "%{p}" * 50, "%{h" + "-" * 500 + "}",
    "%_%-%%" * 100, "%{o2}" * 300, "%{ir}.%{v}._%{d2}",
]  # fmt: skip
WORDS = st.lists(
    st.sampled_from([*MACROS, ".", "a", "=", ":", "/", "exists", "redirect", "include", " ", "-all", "ip4"])
)


async def spf(domain_spec: str, sender: str) -> Result:
    zone: dict[str, Any] = {
        "b.test": {"TXT": [f"v=spf1 exists:{domain_spec} -all exp={domain_spec}"]},
        "c.test": {"TXT": [f"v=spf1 {domain_spec}"]},
    }
    resolver = StaticResolver(zone)
    for domain in ("b.test", "c.test"):
        verdict = await check_mail_from("192.0.2.7", f"{sender}@{domain}", "helo.test", resolver=resolver)
    return verdict.result


@pytest.mark.parametrize(
    "sender", ["a", "-", "....", "-" * 500, "a-" * 2000, "${run{x}}", "%{s}", "\0", "a+b/c_d=e,f.g"]
)
@pytest.mark.parametrize("macro", MACROS)
def test_cve_2021_20314(macro: str, sender: str) -> None:
    """libspf2's, with CVE-2021-33912 and -33913: macros with any numbers and delimiters, over any sender."""
    asyncio.run(spf(macro, sender))


@settings(max_examples=150, deadline=2000)
@given(WORDS, st.text(alphabet="a-.%{}+", max_size=20))
@example(["%{d0}"], "a")
def test_cve_2023_42118(words: list[str], sender: str) -> None:
    """Records made of macros: a result, soon."""
    assert asyncio.run(spf("".join(words), sender)) in Result


# --- what was stored --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["x'; DROP", "x' OR '1'='1", "x\0y", "", "x" * 5000])
def test_cve_2025_67896_keys(text: str) -> None:
    """A key of the hints with anything in it: found again, and nothing else."""
    hints = MemoryHints(lambda: 0.0)
    stored = Callout()
    stored.result = "accept"
    hints.callout.put(text, stored)
    assert hints.callout.get("x") is None
    found = hints.callout.get(text)
    assert found is not None
    assert found.result == "accept"


RATES = [
    # rate, epoch, filter
    (0.0, 0.0, b""),
    (0.0, 1e300, b"\xff"),
    (0.0, -1e300, b"\xff" * 100_000),
    (0.0, 1795521599.0, b"\xff" * 63),
    (0.0, 1795521599.0, b"\0" * 65),
    (-1e308, 1795521599.0, b"\0" * 64),
    (1e308, 0.0, b""),
]


@pytest.mark.parametrize(("rate", "epoch", "bloom"), RATES)
def test_cve_2025_67896(rate: float, epoch: float, bloom: bytes, tmp_path: Path) -> None:
    """A stored filter of another size, or of another time: the rate is measured all the same."""
    there = server(
        tmp_path,
        "acl_smtp_mail = mail\nbegin acl\nmail:\n"
        "  deny ratelimit = 2 / 1h / strict / unique=$sender_address / $sender_host_address\n  accept\n",
    )
    stored = Rate()
    stored.rate, stored.bloom_epoch, stored.bloom, stored.written_at = rate, epoch, bloom, 1795521500.0
    there.services.hints.ratelimit.put("1h/per_mail/unique/192.0.2.7", stored)
    mails = [b"MAIL FROM:<a%d@b.test>\r\n" % number for number in range(5)]
    said = there.talk(b"EHLO x\r\n", *(command for mail in mails for command in (mail, b"RSET\r\n")), b"QUIT\r\n")
    assert said.count("550 Administrative prohibition") >= 3


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_cve_2025_67896_numbers(value: float) -> None:
    """No number at all is no record."""
    stored = Rate()
    stored.rate = value
    assert hints_record.decode(hints_record.encode(stored), Rate) is None


@given(st.binary(max_size=100))
def test_stored_records_are_checked(octets: bytes) -> None:
    """Whatever is in a database: a record, or none."""
    for kind in (Rate, Callout, hints_record.Retry, hints_record.Waiting, hints_record.Ehlo):
        found = hints_record.decode(octets, kind)
        assert found is None or hints_record.encode(found) == octets

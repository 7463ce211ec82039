"""The text of a message: all read the same headers, signatures cover what they say, and reading is soon done."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from eximious.mailauth.dkim import Result, Signer, sign, verify
from eximious.mailauth.resolver import StaticResolver
from tests.mailauth.keys import ED25519
from tests.receive.place import headers_of
from tests.security.place import ENVELOPE, server

RESOLVER = StaticResolver({"s._domainkey.b.test": {"TXT": [ED25519.record()]}})
RECORD = f's._domainkey.b.test TXT "{ED25519.record()}"'
MESSAGE = b"From: a@b.test\r\nSubject: x\r\n\r\nbody\r\n"


def verdict(message: bytes) -> Result:
    (found,) = asyncio.run(verify(message, RESOLVER))
    return found.result


def with_tag(message: bytes, tag: bytes, value: bytes) -> bytes:
    """The signed message with another value for a tag of its signature."""
    name, _, rest = message.partition(b" " + tag + b"=")
    _, _, rest = rest.partition(b";")
    return name + b" " + tag + b"=" + value + b";" + rest


HASH = b"eXtMJQ4PQYDvyZSUxC29IB0Duh0M7DYWpTgkqtMenwQ="
BODY_HASHES = [
    b"", b"=", b"YQ==", HASH[:-4], HASH + b"AAAA", HASH * 2, HASH[:20], b"A" * 10_000, b"A" * 4097, b"!" * 44, HASH[1:],
]  # fmt: skip


@pytest.mark.parametrize("body_hash", BODY_HASHES)
def test_cve_2020_28025(body_hash: bytes) -> None:
    """A body hash that is shorter or longer than its algorithm makes it, whatever else is right."""
    signed = sign(MESSAGE, Signer("b.test", "s", ED25519))
    assert verdict(signed) is Result.PASS
    assert verdict(with_tag(signed, b"bh", body_hash)) is not Result.PASS


@pytest.mark.parametrize("length", [b"0", b"3", b"5", b"7", b"-1", b"", b"1e3", b"4294967302", b"18446744073709551622"])
def test_cve_2020_28025_length(length: bytes) -> None:
    """``l=`` that says another length than what was signed, among them such that are the same in 32 or 64 bits."""
    signed = sign(MESSAGE, Signer("b.test", "s", ED25519, length=6))
    assert verdict(signed) is Result.PASS
    assert verdict(with_tag(signed, b"l", length)) is not Result.PASS


BETWEEN = [
    b"no field\r\n",
    b": no name\r\n",
    b"From\r\n",
    b"From joe Thu Nov 26\r\n",
    b"X\xff\xfe: y\r\n",
    b"a b: c\r\n",
    b"\x00: x\r\n",
    b"\r: x\r\n",
]


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("text", BETWEEN)
def test_bug_3036(text: bytes, is_chunked: bool, tmp_path: Path) -> None:
    """Text between headers that is none: what is a header for signatures is one for ACLs, and the other way round."""
    there = server(
        tmp_path,
        "log_selector = +dkim_verbose\nacl_smtp_data = data\nbegin acl\ndata:\n  accept logwrite = <$h_x-second:>\n",
        RECORD,
    )
    signed = sign(
        b"From: a@b.test\r\nX-Second: 1\r\n\r\nbody\r\n", Signer("b.test", "s", ED25519, headers=["from", "x-second"])
    )
    message = signed.replace(b"\r\nX-Second: 1", b"\r\n" + text + b"X-Second: 1")
    if is_chunked:
        there.talk(*ENVELOPE, b"BDAT %d LAST\r\n%s" % (len(message), message), b"QUIT\r\n")
    else:
        there.talk(*ENVELOPE, b"DATA\r\n", message + b".\r\n", b"QUIT\r\n")
    is_seen = "main: <1>" in there.logs.lines
    is_signed = any("DKIM: d=b.test" in line and "verification succeeded" in line for line in there.logs.lines)
    assert is_seen is is_signed, there.logs.lines
    ((stored, body),) = there.queue.messages
    assert ("\nX-Second: 1\n" in headers_of(stored)) is is_seen
    assert (b"X-Second" in body) is not is_seen


HEADERS = [
    "From",
    "To",
    "DKIM-Signature",
    "Authentication-Results",
    "Received",
    "Message-ID",
    "Content-Type",
    "ARC-Seal",
]
UNITS = ['\\"', '"', '("', "(\\", "<", "a,", "a@", ":", "=?utf-8?Q?a?= ", "\n ", "h=a:", "a\\", "((", "\t \t"]


@pytest.mark.slow
@pytest.mark.parametrize("name", HEADERS)
def test_long_headers_take_linear_time(name: str, tmp_path: Path) -> None:
    """Octets that parsers of addresses, tags and comments may stumble over, very many of them."""
    there = server(
        tmp_path,
        "dmarc_mode = rfc9989\nacl_smtp_data = data\nbegin acl\ndata:\n  warn !verify = header_syntax\n"
        "  warn spf = *\n  warn dkim_status = *\n  warn dmarc_status = *\n  warn verify = arc\n"
        "  accept set acl_m_x = ${addresses:$h_from:} ${rfc2047d:$h_to:}\n",
    )
    for unit in UNITS:
        text = f"{name}: v=1; i=1; {unit * (20_000 // len(unit))}\n\n"
        started = time.process_time()
        there.talk(*ENVELOPE, b"DATA\r\n", text.replace("\n", "\r\n").encode() + b".\r\n", b"QUIT\r\n", is_kept=False)
        assert time.process_time() - started < 2, unit


SECTIONS = [
    (b"a:\r\n", "header_line_maxsize = 1000\n"),
    (b"x", "header_line_maxsize = 100000\n"),
    (b"x", ""),
    (b" z\r\n", "header_line_maxsize = 900000\n"),
    (b" z\r\n", ""),
    (b"\r", ""),
    (b"a:\n", ""),
]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["pieces", "octets"])
@pytest.mark.parametrize(("unit", "options"), SECTIONS)
def test_long_header_sections_take_linear_time(unit: bytes, options: str, how: str, tmp_path: Path) -> None:
    """Very many headers, lines of one, or octets of a line, with bounds to be checked meanwhile."""
    there = server(tmp_path, options)
    data = b"A: b\r\nX: y" + (b"\r\n" if unit != b"x" else b"") + unit * (60_000 // len(unit))
    size = 1 if how == "octets" else 1000
    started = time.process_time()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    there.talk(*ENVELOPE, b"DATA\r\n", *pieces, b"\r\n\r\n.\r\n", b"QUIT\r\n", is_kept=False)
    assert time.process_time() - started < 2

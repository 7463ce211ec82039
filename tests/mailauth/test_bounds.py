"""What hostile messages and records cost: little memory, little time, few questions."""

from __future__ import annotations

import asyncio
import base64
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from eximious.mailauth import arc, authres, dkim, dmarc, spf
from eximious.mailauth.canonical import BodyHashes
from eximious.mailauth.dkim import key as keys
from eximious.mailauth.message import HEADER_LIMIT, Headers, split
from eximious.mailauth.reports import aggregate
from eximious.mailauth.resolver import StaticResolver
from tests.mailauth.keys import ED25519, RSA

MESSAGE = b"Authentication-Results: example.org; spf=pass\r\nFrom: joe@example.org\r\n\r\nx\r\n"
ZONE: dict[str, Any] = {
    "s._domainkey.example.org": {"TXT": [ED25519.record()]},
    "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]},
}
SIGNER = dkim.Signer("example.org", "s", ED25519)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """The block needs no more processor time."""
    started = time.process_time()
    yield
    assert time.process_time() - started < seconds


@pytest.mark.slow
def test_a_body_is_never_in_memory() -> None:
    chunk = b"some words of \t text  \r\n\r\n" * 2500
    headers, _ = split(dkim.sign(MESSAGE, SIGNER, dkim.Signer("example.org", "s", ED25519, is_body_relaxed=False)))
    tracemalloc.start()
    verifier = dkim.Verifier(headers)
    for _ in range(500):
        verifier.feed(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000, "octets, of a body of 32 MB"


@pytest.mark.parametrize("end", [b"\r\n", b" ", b"\r", b"\t", b"\n"])
def test_what_may_be_the_end_of_a_body_is_counted_not_kept(end: bytes) -> None:
    hashes = BodyHashes()
    hashes.want(is_relaxed=True, algorithm="sha256")
    hashes.want(is_relaxed=False, algorithm="sha256")
    hashes.feed(b"x")
    chunk = end * 20_000
    tracemalloc.start()
    for _ in range(50):
        hashes.feed(chunk)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 10_000


def test_many_signatures() -> None:
    fields = dkim.sign(MESSAGE, SIGNER).partition(b"Authentication-Results")[0]
    resolver = StaticResolver(ZONE)
    with at_most(5):
        found = asyncio.run(dkim.verify(fields * 5000 + MESSAGE, resolver))
    assert len(found) == 200
    assert [one.result for one in found] == [dkim.Result.PASS] * 20 + [dkim.Result.POLICY] * 180
    assert len(resolver.asked) == 20


def test_many_fields() -> None:
    with at_most(5):
        headers, body = split(b"X: y\r\n" * 200_000 + MESSAGE)
    assert (len(headers.fields), len(body) > 1_000_000) == (HEADER_LIMIT, True)


LONG = [
    b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed; d=example.org; s=s; bh=AAAA; b=AAAA; h=from" + b":to" * 100_000,
    b"DKIM-Signature: " + b"a=b;" * 100_000,
    b"DKIM-Signature: v=1; b=" + b"A" * 1_000_000,
    b"DKIM-Signature: v=1; b" + b" " * 1_000_000 + b"=",
    b"DKIM-Signature: " + b";b" * 500_000,
    b"ARC-Seal: i=1; " + b"; i" * 300_000,
    b"ARC-Message-Signature: " + b" " * 1_000_000,
    b"ARC-Authentication-Results: i=1; x; " + b"(" * 1_000_000,
    b"Authentication-Results: example.org; " + b"spf=pass;" * 100_000,
    b"Authentication-Results: example.org; " + b"\\" * 1_000_000,
    b"From: " + b'"' * 1_000_001,
    b"From: " + b"(" * 1_000_000,
    b"From: " + b"<" * 1_000_000,
    b"From: " + b"a@b.example, " * 100_000,
    b"From: " + b"\\" * 1_000_001,
    b"From: " + b" " * 1_000_000 + b"@",
]


@pytest.mark.parametrize("field", LONG, ids=lambda field: repr(field[:60]))
def test_long_fields(field: bytes) -> None:
    message = field + b"\r\n" + MESSAGE
    with at_most(3):
        resolver = StaticResolver(ZONE)
        asyncio.run(dkim.verify(message, resolver))
        asyncio.run(arc.validate(message, resolver))
        arc.seal(message, arc.Sealer("example.org", "s", ED25519))
        headers, _ = split(message)
        authors = dmarc.author_domains(headers.all(b"from")[0].text)
    assert len(authors) <= 200
    assert len(resolver.asked) < 10


TEXTS = ["a=b;" * 20_000, ";" * 65_000, " " * 65_000, "v=DMARC1;" * 7000, "v=DMARC1; rua=" + "mailto:a@b.c," * 5000]
RECORDS = [*TEXTS, "v=DMARC1; p=none; rua=mailto:" + "a" * 60_000 + "!" + "9" * 4000, "p=" + "A" * 65_000]


@pytest.mark.parametrize("text", RECORDS, ids=lambda text: repr(text[:30]))
def test_records_of_64_kb(text: str) -> None:
    zone = {"s._domainkey.example.org": {"TXT": [text]}, "_dmarc.example.org": {"TXT": [text]}}
    with at_most(1):
        for record in (text, "v=DKIM1; " + text, "v=DMARC1; p=none; " + text):
            dmarc.parse(record)
            try:
                keys.parse(record)
            except dkim.KeyFault:
                continue
        asyncio.run(dkim.verify(dkim.sign(MESSAGE, SIGNER), StaticResolver(zone)))
        verdict = asyncio.run(dmarc.check("example.org", resolver=StaticResolver(zone)))
    assert verdict.record is None or len(verdict.record.aggregate_uris) <= 20


def test_many_records_at_one_name() -> None:
    """An answer of 64 KB has a few thousand of them at most."""
    zone = {name: {"TXT": [b"v=DKIM1; p=%d" % n for n in range(5000)]} for name in (*ZONE, "example.org")}
    with at_most(1):
        [found] = asyncio.run(dkim.verify(dkim.sign(MESSAGE, SIGNER), StaticResolver(zone)))
        asyncio.run(spf.check_mail_from("192.0.2.1", "a@example.org", "x", resolver=StaticResolver(zone)))
    assert found.fault is dkim.Fault.KEY_SYNTAX


def test_a_key_too_large_to_be_used() -> None:
    """Verifying takes time that grows with the square of the modulus, or with the exponent: CVE-2003-0543's kind."""
    huge = (1 << 20_000) + 1
    der = _public_der(huge, 65537)
    slow = _public_der((1 << 4095) + 1, (1 << 4094) + 1)

    for data in (der, slow):
        text = "v=DKIM1; p=" + base64.b64encode(data).decode()
        resolver = StaticResolver({"s._domainkey.example.org": {"TXT": [text]}})
        with at_most(1):
            [found] = asyncio.run(dkim.verify(dkim.sign(MESSAGE, dkim.Signer("example.org", "s", RSA)), resolver))
        assert found.result is not dkim.Result.PASS


def _public_der(modulus: int, exponent: int) -> bytes:
    def tagged(tag: int, data: bytes) -> bytes:
        if len(data) < 128:
            return bytes([tag, len(data)]) + data
        length = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
        return bytes([tag, 0x80 | len(length)]) + length + data

    def number(value: int) -> bytes:
        return tagged(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))

    numbers = tagged(0x30, number(modulus) + number(exponent))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return tagged(0x30, algorithm + tagged(3, b"\0" + numbers))


def test_a_tree_of_dmarc_names_asks_eight() -> None:
    resolver = StaticResolver(ZONE)
    asyncio.run(dmarc.check(".".join("abcdefghij" * 5), resolver=resolver))
    assert len(resolver.asked) == 8


def test_fifty_sets() -> None:
    sets = b"".join(
        b"ARC-Seal: i=%d; a=ed25519-sha256; cv=%b; d=example.org; s=s; b=AAAA\r\n"
        b"ARC-Message-Signature: i=%d; a=ed25519-sha256; d=example.org; s=s; h=from; l=%d; bh=AAAA; b=AAAA\r\n"
        b"ARC-Authentication-Results: i=%d; x; none\r\n" % (n, b"none" if n == 1 else b"pass", n, n, n)
        for n in range(1, 51)
    )
    resolver = StaticResolver(ZONE)
    with at_most(2):
        chain = asyncio.run(arc.validate(sets + MESSAGE + b"y" * 1_000_000, resolver))
    assert (len(chain.links), len(resolver.asked)) == (50, 1)
    assert str(asyncio.run(arc.validate(sets + sets + MESSAGE, resolver))).startswith("fail: more than 50 sets")


REPORTS = [
    b"<feedback>" + b"<record>" * 100_000,
    b"<feedback>" + b"<record/>" * 300_000 + b"</feedback>",
    b"<!DOCTYPE a [<!ENTITY b '" + b"c" * 1000 + b"'>]><feedback>" + b"&b;" * 10_000 + b"</feedback>",
    b"<feedback " + b"a" * 1_000_000,
    b"<feedback><report_metadata><org_name>" + b"a" * 5_000_000,
]


@pytest.mark.parametrize("data", REPORTS, ids=lambda data: repr(data[:30]))
def test_reports(data: bytes) -> None:
    with at_most(5), pytest.raises(aggregate.ReportFault):
        aggregate.read(data)


def test_headers_given_by_a_server() -> None:
    """Not read by `split`, so without its limit."""
    with at_most(5):
        headers = Headers([b"Received: x\r\n"] * 100_000 + [b"From: a@example.org\r\n"])
        names = [b"received"] * 100_000
        assert len(headers.chosen(names)) == 100_000


def test_authentication_results() -> None:
    with at_most(1), pytest.raises(authres.AuthresError):
        authres.parse("x; " + "a=b " * 30_000 + "(" * 100)

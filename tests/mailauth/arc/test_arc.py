from __future__ import annotations

import asyncio
import re
from typing import Any

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.arc import Chain, ChainResult, Link, Sealer, Sealing, Validator, seal, sealers, validate
from eximious.mailauth.arc.chain import seal_status
from eximious.mailauth.canonical import BodyHashes
from eximious.mailauth.dkim import PrivateKey, Verifier
from eximious.mailauth.message import split
from eximious.mailauth.resolver import StaticResolver
from tests.mailauth.keys import ED25519, RSA, rsa

NOW = 1_700_000_000
MESSAGE = b"From: joe@example.org\r\nSubject: lunch\r\nDate: today\r\n\r\nSalad?\r\n"
ZONE: dict[str, Any] = {
    f"s._domainkey.{domain}": {"TXT": [RSA.record()]} for domain in ("one.example", "two.example", "three.example")
}
ZONE["e._domainkey.two.example"] = {"TXT": [ED25519.record()]}


def hop(message: bytes, domain: str, arc: str = "", key: PrivateKey = RSA, **options: Any) -> bytes:
    """The message after a host that checked, and sealed."""
    state = arc or ("none" if b"ARC-Seal" not in message else "pass")
    header = f"Authentication-Results: {domain}; arc={state}; spf=pass smtp.mailfrom={domain}\r\n".encode()
    selector = "s" if key is RSA else "e"
    return seal(header + message, Sealer(domain, selector, key, authserv_id=domain, **options), now=NOW)


def validated(message: bytes, zone: dict[str, Any] | None = None) -> Chain:
    return asyncio.run(validate(message, StaticResolver(ZONE if zone is None else zone), now=NOW))


def three_hops() -> bytes:
    return hop(hop(hop(MESSAGE, "one.example"), "two.example", key=ED25519), "three.example")


def test_chain() -> None:
    chain = validated(three_hops())
    assert str(chain) == "pass: 3 sets, sealed by one.example, two.example, three.example"
    assert chain.oldest_pass == 0
    assert chain.trace[1] == "i=2 two.example: message pass, seal pass"
    results = chain.links[0].authentication_results
    assert results is not None
    assert results.authserv_id == "one.example"
    assert chain.is_trusted({"one.example", "two.example", "three.example"})
    assert not chain.is_trusted({"one.example"})


def test_oldest_pass() -> None:
    changed = hop(hop(MESSAGE, "one.example").replace(b"Subject: lunch", b"Subject: [list] lunch"), "two.example")
    chain = validated(hop(changed, "three.example"))
    assert (chain.result, chain.oldest_pass) == (ChainResult.PASS, 2)
    assert chain.links[0].message_passes is False


OTHERS = "the header was changed, or the key is another"
CHANGES = [
    (b"Salad?", b"Soup?", "i=3: the message signature: the body was changed"),
    (
        b"Subject: lunch",
        b"Subject: dinner",
        f"i=3: the message signature: {OTHERS}",
    ),
    (
        b"spf=pass smtp.mailfrom=one",
        b"spf=fail smtp.mailfrom=one",
        f"i=3: the seal: {OTHERS}",
    ),
    (b"cv=none", b"cv=pass", "i=1 has cv=pass"),
    (b"ARC-Seal", b"X-Seal", "i=3 has no ARC-Seal"),
    (b"i=3; three", b"i=51; three", "arc-authentication-results has i=51"),
    (b"i=3; three", b"i=0; three", "arc-authentication-results has i=0"),
    (b"i=3; three", b"three", "arc-authentication-results has no i= at its beginning"),
    (b"i=3; three", b"i=2; three", "arc-authentication-results is there twice with i=2"),
]


@pytest.mark.parametrize(("old", "new", "reason"), CHANGES)
def test_broken(old: bytes, new: bytes, reason: str) -> None:
    message = three_hops()
    assert old in message
    chain = validated(message.replace(old, new, 1))
    assert (chain.result, chain.reason) == (ChainResult.FAIL, reason)


@pytest.mark.parametrize(
    ("records", "words", "is_temporary"),
    [
        (None, "cannot be asked for now", True),
        ([], "there is no key", False),
        (["v=DKIM1; p="], "revoked", False),
        (["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="], "not for this", False),
        (["nonsense"], "cannot be read", False),
    ],
)
def test_keys(records: list[str] | None, words: str, is_temporary: bool) -> None:
    chain = validated(three_hops(), {**ZONE, "s._domainkey.three.example": {"TXT": records}})
    assert words in chain.reason
    assert chain.is_temporary is is_temporary


def test_a_failed_chain_is_marked_and_then_left_alone() -> None:
    broken = three_hops().replace(b"Salad?", b"Soup?")
    marked = hop(broken, "one.example", arc="fail")
    headers, _ = split(marked)
    assert b"cv=fail" in headers.all(b"arc-seal")[0].raw
    assert validated(marked).reason == "i=4 says that the chain fails"
    again = hop(marked, "one.example", arc="fail")
    assert len(split(again)[0].all(b"arc-seal")) == 4


def test_what_validation_found_counts_more_than_what_the_header_says() -> None:
    broken = b"Authentication-Results: one.example; arc=pass\r\n" + three_hops().replace(b"Salad?", b"Soup?")
    sealed = seal(broken, Sealer("one.example", "s", RSA), chain=validated(broken), now=NOW)
    assert b"cv=fail" in split(sealed)[0].all(b"arc-seal")[0].raw


def test_no_more_than_fifty() -> None:
    header = b"".join(b"ARC-Authentication-Results: i=%d; x; none\r\n" % number for number in range(1, 51))
    headers, body = split(b"Authentication-Results: one.example; none\r\n" + header + MESSAGE)
    sealing = Sealing(headers, Sealer("one.example", "s", RSA))
    sealing.feed(body)
    assert sealing.fields() == []
    assert sealing.why_not == "the chain has 50 sets already"
    assert validated(header * 4 + MESSAGE).reason == "more than 50 sets"


LAID_OUT = """\
ARC-Seal: i=1; cv=none; a=ed25519-sha256; d=one.example; s=e; t=1700000000;
\t b=+
ARC-Authentication-Results: i=1; one.example;
\tarc=none; spf=pass smtp.mailfrom=one.example
ARC-Message-Signature: i=1; a=ed25519-sha256; c=relaxed; d=one.example; s=e; t=1700000000; x=1700000060;
\tbh=+;
\th=MIME-Version:Content-Transfer-Encoding:Resent-Message-ID:List-Unsubscribe:
\t  Resent-From:Date:To:To:From;
\tb=+
"""


def test_layout() -> None:
    message = (
        b"from: a@one.example\r\nTO: b\r\nX-Other: c\r\nTo: d\r\nDate: e\r\nResent-From: f\r\nList-Unsubscribe: g\r\n"
        b"Resent-Message-Id: h\r\nContent-Transfer-Encoding: 7bit\r\nmime-version: 1.0\r\nReceived: i\r\n\r\nbody  \r\n"
    )
    text = hop(message, "one.example", key=ED25519, is_body_relaxed=False, expire_after=60)
    made = text.decode("ascii").partition("Authentication-Results: one.example;")[0].replace("\r\n", "\n")
    assert (
        re.sub(r"\b(bh?)=[\s\w/+=]+(;?)", r"\1=+\2", made).replace("=+;\nARC", "=+\nARC").rstrip(";\n ")
        == LAID_OUT.rstrip()
    )
    assert validated(text, {"e._domainkey.one.example": {"TXT": [ED25519.record()]}}).result is ChainResult.PASS


RESULTS = [
    (b"A: one.example; spf=pass\r\nA: one.example; dkim=pass\r\n", b"spf=pass;dkim=pass", b"spf=pass;dkim=pass"),
    (b"A: one.example; spf=pass\r\nReceived: x\r\nA: one.example; dkim=pass\r\n", b"spf=pass", b"spf=pass;dkim=pass"),
    (b"A: other.example; spf=fail\r\nA: one.example; dkim=pass\r\n", b"dkim=pass", b"dkim=pass"),
    (
        b"A: one.example; spf=pass\r\nA: other.example; x=pass\r\nA: one.example; dkim=pass\r\n",
        b"spf=pass",
        b"spf=pass;dkim=pass",
    ),
    (b"Received: x\r\nA: one.example; none\r\nA: ONE.example; spf=pass;\r\n", b"spf=pass", b"spf=pass"),
]


@pytest.mark.parametrize(("header", "block", "whole"), RESULTS)
def test_which_results_are_taken(header: bytes, block: bytes, whole: bytes) -> None:
    for block_only, expected in ((True, block), (False, whole)):
        headers, body = split(header.replace(b"A:", b"Authentication-Results:") + MESSAGE)
        sealing = Sealing(headers, Sealer("one.example", "s", RSA, takes_block_only=block_only))
        sealing.feed(body)
        results = sealing.fields(NOW)[1]
        assert b"".join(results.split()) == b"ARC-Authentication-Results:i=1;one.example;" + expected


def test_nothing_to_say() -> None:
    headers, _ = split(b"Authentication-Results: other.example; spf=pass\r\nAuthentication-Results: %%%\r\n" + MESSAGE)
    sealing = Sealing(headers, Sealer("one.example", "s", RSA))
    assert sealing.fields() == []
    assert "no Authentication-Results of our own" in sealing.why_not
    assert validated(MESSAGE).result is ChainResult.NONE
    assert str(validated(MESSAGE)) == "none: there are no ARC sets"


def test_options() -> None:
    message = hop(
        MESSAGE, "one.example", with_time=False, expire_after=3600, is_header_relaxed=False, is_body_relaxed=False
    )
    headers, _ = split(message)
    field = headers.all(b"arc-message-signature")[0].raw
    assert b"x=1700003600" in field
    assert b"t=1" not in field
    assert validated(message).result is ChainResult.PASS
    late = asyncio.run(validate(message, StaticResolver(ZONE), now=NOW + 5000))
    assert "expired" in late.reason


def test_one_pass_over_the_body_for_dkim_and_arc() -> None:
    headers, body = split(three_hops())
    hashes = BodyHashes()
    Verifier(headers, body=hashes)
    validator = Validator(headers, body=hashes, now=NOW, all_messages=False)
    assert validator.is_needed
    hashes.feed(body)
    hashes.finish()
    chain = asyncio.run(validator.validate(StaticResolver(ZONE)))
    assert chain.result is ChainResult.PASS
    assert chain.links[0].message_passes is None


def traditional() -> bytes:
    return rsa().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def dns(name: bytes, timeout: int = 5) -> bytes:
    return RSA.record().encode()


def test_dkimpy_validates() -> None:
    message = hop(hop(MESSAGE, "one.example"), "two.example")
    status, results, reason = dkimpy.arc_verify(message, dnsfunc=dns)
    assert (status, len(results)) == (dkimpy.CV_Pass, 2), reason
    assert dkimpy.arc_verify(message.replace(b"Salad", b"Soup"), dnsfunc=dns)[0] == dkimpy.CV_Fail


def test_dkimpy_seals() -> None:
    message = MESSAGE
    for domain in (b"one.example", b"two.example"):
        state = b"pass" if b"ARC-Seal" in message else b"none"
        message = b"Authentication-Results: " + domain + b"; arc=" + state + b"; spf=pass\r\n" + message
        fields = dkimpy.arc_sign(message, b"s", domain, traditional(), domain, timestamp=NOW)
        message = b"".join(fields) + message
    assert str(validated(message)) == "pass: 2 sets, sealed by one.example, two.example"


@given(st.binary(max_size=200), st.sampled_from([b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results"]))
def test_anything(data: bytes, name: bytes) -> None:
    assert validated(name + b": " + data + b"\r\n" + three_hops()).result is not ChainResult.NONE
    hop(name + b": " + data + b"\r\n" + MESSAGE, "one.example")


def test_the_address_of_the_client_goes_along() -> None:
    message = hop(MESSAGE, "one.example", client_ip="192.0.2.1")
    assert b"i=1; one.example; smtp.remote-ip=192.0.2.1;\r\n\tarc=none" in message
    chain = validated(message)
    assert chain.result is ChainResult.PASS
    found = chain.links[0].authentication_results
    assert found is not None
    assert [one.method for one in found.results] == ["arc", "spf"]


def test_sealers_of_a_chain_that_is_not_intact() -> None:
    headers, _ = split(re.sub(rb"ARC-Seal: i=[13]", b"X-Seal: i=1", three_hops()))
    assert sealers(headers) == ["", "two.example"]
    assert sealers(split(MESSAGE)[0]) == []


def test_a_chain_with_a_gap() -> None:
    message = three_hops()
    begin = message.rindex(b"ARC-Seal: i=2") if b"ARC-Seal: i=2" in message else -1
    assert begin >= 0
    headers, body = split(message)
    left = [field.raw for field in headers.fields if b"i=2;" not in field.raw.partition(b":")[2][:20]]
    left = [raw for raw in left if not (raw.lower().startswith(b"arc-") and b"i=2" in raw)]
    chain = validated(b"".join(left) + b"\r\n" + body)
    assert str(chain) == "fail: there is no set i=2"
    assert str(chain.result) == "fail"


def test_results_that_cannot_be_read() -> None:
    link = Link(1, "one.example", "s", "i=1; (")
    assert link.authentication_results is None


def test_nothing_is_asked_for_a_chain_that_fails_anyway() -> None:
    headers, _ = split(b"ARC-Seal: nonsense\r\n" + MESSAGE)
    resolver = StaticResolver(ZONE)
    asyncio.run(Validator(headers).fetch_keys(resolver))
    assert resolver.asked == []
    headers, _ = split(b"ARC-Seal: i=1; a\r\nARC-Seal: =\r\nARC-Seal: i=2; d=two.example\r\n" + MESSAGE)
    assert sealers(headers) == ["", "two.example"]
    assert seal_status(headers, 1) == ""


def test_not_more_than_ten_hashes_of_the_body() -> None:
    fields = [
        b"ARC-Seal: i=%d; a=rsa-sha256; cv=%b; d=one.example; s=s; b=AAAA\r\n"
        b"ARC-Message-Signature: i=%d; a=rsa-sha256; d=one.example; s=s; h=from; l=%d; bh=AAAA; b=AAAA\r\n"
        b"ARC-Authentication-Results: i=%d; x; none\r\n" % (n, b"none" if n == 1 else b"pass", n, n - 1, n)
        for n in range(1, 13)
    ]
    headers, _ = split(b"".join(fields) + MESSAGE)
    validator = Validator(headers)
    validator.feed(b"x" * 20)
    chain = asyncio.run(validator.validate(StaticResolver(ZONE)))
    assert str(chain) == "fail: i=12: the message signature: the body was changed"
    headers, _ = split(fields[0].replace(b"l=0", b"l=99") + MESSAGE)
    assert "l= is more than the body has" in str(asyncio.run(Validator(headers).validate(StaticResolver(ZONE))))

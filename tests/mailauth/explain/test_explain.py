"""A table of messages, and the sentences that are said about them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eximious.mailauth import arc, dkim, dmarc
from eximious.mailauth.dkim import Signer
from eximious.mailauth.explain import Explanation, Finding, explain
from eximious.mailauth.explain.finding import readable
from eximious.mailauth.resolver import StaticResolver
from eximious.mailauth.srs import Scheme, native
from tests.mailauth.keys import ED25519, RSA, rsa

NOW = 1_800_000_000
MESSAGE = b"From: Joe <joe@example.org>\r\nTo: jane@example.com\r\nSubject: Lunch\r\n\r\nSalad?\r\n"
RECORD = RSA.record()
MANY = {f"m{n}.example.org": {"A": ["192.0.2.77"]} for n in range(20)}
ZONE: dict[str, Any] = {
    "example.org": {"TXT": ["v=spf1 include:spf.example.net -all"]},
    "spf.example.net": {"TXT": ["v=spf1 ip4:192.0.2.0/28 include:more.example.net ~all"]},
    "more.example.net": {"TXT": ["v=spf1 ip4:192.0.2.16/28"]},
    "soft.example.org": {"TXT": ["v=spf1 ~all"]},
    "two.example.org": {"TXT": ["v=spf1 -all", "v=spf1 +all"]},
    "odd.example.org": {"TXT": ["v=spf1 ipv4:1.2.3.4 -all"]},
    "deep.example.org": {"TXT": ["v=spf1 include:many.example.org -all"]},
    "many.example.org": {"TXT": ["v=spf1 " + " ".join(f"a:m{n}.example.org" for n in range(20))]},
    "void.example.org": {"TXT": ["v=spf1 a:x.example.org a:y.example.org a:z.example.org -all"]},
    "gone.example.org": {"TXT": ["v=spf1 include:none.example.org -all"]},
    "down.example.org": {"TXT": None},
    "s._domainkey.example.org": {"TXT": [RECORD]},
    "e._domainkey.example.org": {"TXT": [ED25519.record()]},
    "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject; sp=quarantine; np=none"]},
    "a.example.org": {"A": ["192.0.2.1"]},
    "_dmarc.strict.example": {"TXT": ["v=DMARC1; p=reject; adkim=s; aspf=s"]},
    "_dmarc.down.example": {"TXT": None},
    "sub.strict.example": {"TXT": ["v=spf1 +all"]},
    "s._domainkey.sub.strict.example": {"TXT": [RECORD]},
    "other.example": {"TXT": ["v=spf1 +all"]},
    "k._domainkey.list.example": {"TXT": [ED25519.record()]},
    **MANY,
}


def explained(message: bytes, zone: dict[str, Any] | None = None, **options: Any) -> Explanation:
    usual: dict[str, Any] = {"ip": "192.0.2.99", "helo": "mx.example.net", "sender": "", "now": NOW}
    return asyncio.run(explain(message, StaticResolver(ZONE | (zone or {})), **usual | options))


def words(finding: Finding) -> list[str]:
    return [finding.text, *(line.strip() for line in finding.details)]


def has(finding: Finding, *sentences: str) -> None:
    """Each sentence is the beginning of a line."""
    found = words(finding)
    for sentence in sentences:
        assert any(line.startswith(sentence) for line in found), f"{sentence!r} is not in {found}"


SPF = [
    ("192.0.2.1", "example.org", "pass: ip4:192.0.2.0/28 of spf.example.net, which example.org refers to, matches", ""),
    ("192.0.2.17", "example.org", "way to the deciding record: example.org > spf.example.net > more.example.net", ""),
    ("192.0.2.99", "example.org", "fail: -all of example.org matches 192.0.2.99", "send from a host that example.org"),
    ("2001:db8::1", "example.org", "fail: -all", "send from a host that example.org permits, or add ip6:2001:db8::1"),
    ("192.0.2.9", "soft.example.org", "softfail: ~all", "send from a host that soft.example.org permits, or add ip4"),
    ("192.0.2.9", "none.example.org", "none: none.example.org has no SPF record", "publish a TXT record at none"),
    ("192.0.2.9", "nodots", 'none: "nodots" is no domain name', "the client has to give a full domain name"),
    ("192.0.2.9", "two.example.org", "permerror: two.example.org: 2 SPF records", "keep one TXT record that begins"),
    ("192.0.2.9", "odd.example.org", "permerror: odd.example.org: ", "correct the record"),
    (
        "192.0.2.9",
        "deep.example.org",
        "way to the deciding record: deep.example.org",
        "have the record ask less",
    ),
    ("192.0.2.9", "void.example.org", "permerror: A of z.example.org: more than 2", "take names that do not exist out"),
    ("192.0.2.9", "gone.example.org", "permerror: gone.example.org includes none", "take the include or redirect out"),
    ("192.0.2.9", "down.example.org", "temperror: TXT of down.example.org", "try again later"),
]


@pytest.mark.parametrize(("ip", "domain", "sentence", "remedy"), SPF)
def test_spf(ip: str, domain: str, sentence: str, remedy: str) -> None:
    [finding] = explained(MESSAGE, ip=ip, sender=f"joe@{domain}").of("SPF")
    has(finding, sentence, "identity: MAIL FROM joe@")
    assert finding.remedy.startswith(remedy)
    assert bool(finding.remedy) is bool(remedy)


def test_spf_shows_includes_before_what_is_in_them() -> None:
    [finding] = explained(MESSAGE, ip="192.0.2.17", sender="joe@example.org").of("SPF")
    assert finding.details[2:-1] == (
        'example.org has "v=spf1 include:spf.example.net -all"',
        "example.org: include:spf.example.net: matches",
        '  spf.example.net has "v=spf1 ip4:192.0.2.0/28 include:more.example.net ~all"',
        "  spf.example.net: ip4:192.0.2.0/28: does not match",
        "  spf.example.net: include:more.example.net: matches",
        '    more.example.net has "v=spf1 ip4:192.0.2.16/28"',
        "    more.example.net: ip4:192.0.2.16/28: matches",
    )


def test_the_null_sender_is_helo() -> None:
    found = explained(MESSAGE, helo="other.example")
    assert found.spf is not None
    assert found.spf.domain == "other.example"
    has(found.of("SPF")[0], "identity: HELO postmaster@other.example")


@pytest.mark.parametrize("options", [{"ip": ""}, {"sender": None, "helo": ""}, {"sender": "", "helo": ""}])
def test_spf_is_left_out(options: dict[str, Any]) -> None:
    found = explained(MESSAGE, **options)
    assert found.spf is None
    assert found.of("SPF")[0].text == "none: not checked, since client or sender are unknown"


def signed(message: bytes = MESSAGE, *, selector: str = "s", domain: str = "example.org", **options: Any) -> bytes:
    key = options.pop("key", ED25519 if selector == "e" else RSA)
    return dkim.sign(message, Signer(domain, selector, key, **options), now=options.pop("now", NOW))


def with_key(record: str | None) -> dict[str, Any]:
    return {"s._domainkey.example.org": {"TXT": None if record is None else [record]}}


SHORT = dkim.PrivateKey(rsa(1024))
DKIM: list[tuple[bytes, dict[str, Any], list[str], str]] = [
    (signed(), {}, ["pass: d=example.org", "key at s._domainkey.example.org: rsa, 2048 bits"], ""),
    (signed(length=6) + b"more\r\n", {}, ["pass:", "the last 8 octets of the body are not signed (l=6)"], ""),
    (signed(), with_key(RECORD + "; t=y"), ["pass:", "the domain is testing DKIM (t=y): a failure means nothing"], ""),
    (signed(key=SHORT), with_key(SHORT.record()), ["pass:", "an RSA key of 1024 bits is short"], ""),
    (signed(identity="joe@example.org"), {}, ["pass:", "identity: joe@example.org"], ""),
    (signed() + b"footer\r\n", {}, ["fail:", '1 line added at the end, from "footer" on'], "have whoever adds it sign"),
    (
        signed().replace(b"Lunch", b"[l] Lunch"), {},
        ["fail: d=example.org s=s a=rsa-sha256: the header was changed", 'Subject got "[l]" added: it was "Lunch"'],
        "have the list or filter leave the subject alone",
    ),
    (
        signed(key=dkim.PrivateKey(rsa(1024))), {},
        ["fail:", "the signature was not made with the published key"],
        "publish the public key of the private one that signs",
    ),
    (signed().replace(b"v=1;", b""), {}, ["neutral:"], "the signing software must be mended"),
    (signed(expire_after=10).replace(b"t=1800000000; x=18", b"t=1700000000; x=17"), {}, ["fail:"], "deliver before x="),
    (signed().replace(b"t=18", b"t=19"), {}, ["fail:"], "set the clock"),
    (signed(hash_name="sha1"), {}, ["policy:"], "sign with rsa-sha256 or ed25519-sha256"),
    (signed(), with_key(None), ["temperror:"], "try again later"),
    (signed(selector="x", key=RSA), {}, ["permerror:"], "publish the key at that name"),
    (signed(), with_key("v=DKIM1; p="), ["permerror:"], "sign with a selector whose key was not revoked"),
    (signed(), with_key("v=DKIM1; p=x"), ["permerror:"], "correct the TXT record of the key"),
    (signed(), with_key(RECORD + "; h=sha1"), ["permerror:"], "add the hash to h= in the key record"),
    (signed(), with_key(RECORD + "; s=x"), ["permerror:"], "add email to s="),
    (signed(), with_key(ED25519.record()), ["permerror:"], "publish a key of the kind that a= names"),
    (signed(identity="j@s.example.org"), with_key(RECORD + "; t=s"), ["permerror:"], "leave t=s out of the key record"),
    (MESSAGE, {}, ["none: there is no signature"], ""),
]  # fmt: skip


@pytest.mark.parametrize(("message", "zone", "sentences", "remedy"), DKIM)
def test_dkim(message: bytes, zone: dict[str, Any], sentences: list[str], remedy: str) -> None:
    [finding] = explained(message, zone).of("DKIM")
    has(finding, *sentences)
    assert finding.remedy.startswith(remedy)
    assert bool(finding.remedy) is bool(remedy)
    assert finding.is_bad is bool(remedy)


def test_dkim_weak_key() -> None:
    small = dkim.PrivateKey(rsa(1024))
    resolver = StaticResolver({"s._domainkey.example.org": {"TXT": [small.record()]}})
    verifying = dkim.verify(signed(key=small), resolver, policy=dkim.Policy(rsa_bits=2048), now=NOW)
    from eximious.mailauth.explain.dkim import explained as finding

    [one] = asyncio.run(verifying)
    assert finding(one, dkim_headers(), b"").remedy.startswith("make a key of 2048 bits")


def dkim_headers() -> Any:
    from eximious.mailauth.message import Headers

    return Headers()


def test_only_some_signatures_are_looked_into() -> None:
    message = MESSAGE
    for _ in range(7):
        message = signed(message)
    found = explained(message + b"footer\r\n").of("DKIM")
    assert [bool(one.remedy) for one in found] == [True] * 5 + [False] * 2


def sealed(message: bytes, results: bytes = b"dkim=pass header.d=example.org") -> bytes:
    message = b"Authentication-Results: list.example; " + results + b"\r\n" + message
    return arc.seal(message, arc.Sealer("list.example", "k", ED25519, authserv_id="list.example"), now=NOW)


TWICE = sealed(sealed(MESSAGE), b"arc=pass")
ARC: list[tuple[bytes, dict[str, Any], list[str], str]] = [
    (MESSAGE, {}, ["none: there are no ARC sets"], ""),
    (sealed(MESSAGE), {}, ["pass: 1 set", "i=1 list.example: message pass", "it says dkim=pass header.d="], ""),
    (TWICE, {}, ["pass: 2 sets", "i=1 list", "i=2 list.example: message pass, seal pass", "it says arc=pass"], ""),
    (
        sealed(sealed(MESSAGE).replace(b"Lunch", b"[l] Lunch"), b"arc=pass"), {},
        ["pass: 2 sets", "i=1 list.example: message fail, seal pass", "the message was changed between i=1 and i=2"],
        "",
    ),
    (
        sealed(MESSAGE) + b"footer\r\n", {},
        ["fail: i=1: the message signature: the body was changed", 'i=1: 1 line added at the end, from "footer" on'],
        "have whoever adds it sign anew",
    ),
    (
        TWICE.replace(b"Results: i=1; ", b"Results: i=1; (x) "), {},
        ["fail: i=2: the seal: the header was changed"],
        "the chain stays broken",
    ),
    (
        sealed(MESSAGE).replace(b"cv=none", b"cv=pass"), {},
        ["fail: i=1 has cv=pass"],
        "the host that wrote the ARC fields must be mended",
    ),
    (sealed(MESSAGE), {"k._domainkey.list.example": {"TXT": None}}, ["fail: i=1: the message"], "try again later"),
    (sealed(MESSAGE), {"k._domainkey.list.example": {"TXT": [RECORD]}}, ["fail: i=1"], "publish the sealer's key"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "zone", "sentences", "remedy"), ARC)
def test_arc(message: bytes, zone: dict[str, Any], sentences: list[str], remedy: str) -> None:
    [finding] = explained(message, zone).of("ARC")
    has(finding, *sentences)
    assert finding.remedy.startswith(remedy)
    assert bool(finding.remedy) is bool(remedy)


def test_arc_seals() -> None:
    def sealed_by(key: dkim.PrivateKey, message: bytes) -> bytes:
        message = b"Authentication-Results: list.example; arc=pass\r\n" + message
        return arc.seal(message, arc.Sealer("list.example", "k", key, authserv_id="list.example"), now=NOW)

    zone = {"k._domainkey.list.example": {"TXT": [RECORD]}}
    message = sealed_by(RSA, sealed_by(RSA, MESSAGE)).replace(b"Results: i=1; ", b"Results: i=1; (x) ")
    has(explained(message, zone).of("ARC")[0], "i=2: the key is the sealer's; an ARC field of the sets up to i=2 was")
    message = sealed_by(RSA, sealed_by(dkim.PrivateKey(rsa(1024)), MESSAGE))
    has(explained(message, zone).of("ARC")[0], "i=1: the seal was not made with the published key")


def author(domain: str) -> bytes:
    return MESSAGE.replace(b"joe@example.org", b"joe@" + domain.encode())


DMARC: list[tuple[bytes, dict[str, Any], list[str], str, int]] = [
    (
        signed(), {},
        ["pass: DKIM of example.org is aligned", "policy reject: p= of example.org", "DKIM: pass for example.org,"],
        "", 0,
    ),
    (
        author("a.example.org"), {"sender": "j@example.org", "ip": "192.0.2.1"},
        [
            "pass: SPF of example.org is aligned with a.example.org",
            "author's domain a.example.org; asked up the DNS tree (RFC 9989): _dmarc.a.example.org, _dmarc.example.org",
            '_dmarc.example.org has "v=DMARC1; p=reject',
            "policy quarantine: sp= of example.org, for its subdomains",
            "example.org: aligned with a.example.org (relaxed: both are in the organizational domain example.org)",
        ],
        "", 0,
    ),
    (author("none.example.org"), {}, ["fail: example.org wants none", "policy none: np= of "], "sign with d=", 1),
    (
        MESSAGE, {"sender": "j@other.example"},
        [
            "fail: example.org wants reject; SPF passed for other.example, which is not aligned with example.org",
            "other.example: not aligned with example.org (relaxed: it is not in the organizational domain example.org)",
            "SPF: pass for other.example, which does not count",
        ],
        "sign with d=example.org or a name below it; or send with a MAIL FROM in example.org", 1,
    ),
    (
        signed(author("strict.example"), domain="sub.strict.example"), {"sender": "j@sub.strict.example"},
        ["sub.strict.example: not aligned with strict.example (strict: they are not the same)"],
        "sign with d=strict.example; or send with a MAIL FROM in strict.example", 1,
    ),
    (
        signed() + b"footer\r\n", {"sender": "j@example.org"},
        ["DKIM: fail for example.org, in the organizational domain", "SPF: fail for example.org, in the organiz"],
        "mend the signature of example.org (see DKIM); or have SPF of example.org permit the client (see SPF)", 1,
    ),
    (
        author("a.example.co.uk"), {"method": dmarc.Method.SUFFIX_LIST},
        ["none:", "author's domain a.example.co.uk; asked with the public suffix list (RFC 7489): _dmarc.a.example.co"],
        "", 0,
    ),
    (author("down.example"), {}, ["temperror:", "TXT of _dmarc.down.example"], "try again later", 75),
    (author("x" * 70), {}, ["permerror:"], "the From field has to name a real domain", 1),
    (b"Subject: x\r\n\r\n", {}, ["none: there is no author's domain"], "", 0),
]  # fmt: skip


@pytest.mark.parametrize(("message", "options", "sentences", "remedy", "status"), DMARC)
def test_dmarc(message: bytes, options: dict[str, Any], sentences: list[str], remedy: str, status: int) -> None:
    found = explained(message, **options)
    [finding] = found.of("DMARC")
    has(finding, *sentences)
    assert finding.remedy.startswith(remedy)
    assert bool(finding.remedy) is bool(remedy)
    assert found.status == status


FIRST = Scheme(["secret"], clock=lambda: NOW).forward("joe@example.com", "f.example")
SECOND = Scheme(["other"], clock=lambda: NOW).forward(FIRST, "g.example")
SRS: list[tuple[str, list[str], str, list[str], str]] = [
    (FIRST, [], "none", ["f.example rewrote joe@example.com, 0 days ago", "no secret was given"], ""),
    (FIRST, ["old", "secret"], "pass", ["f.example rewrote", "bounces go to joe@example.com"], ""),
    (FIRST, ["wrong"], "fail", ["f.example rewrote"], "give the secret that the forwarder rewrites with"),
    (SECOND, ["other"], "pass", ["g.example rewrote SRS0=", f"bounces go to {FIRST}"], ""),
    (native.encode("s", "j@a.example", "f.example", NOW), ["s"], "pass", ["f.example rewrote", "bounces go to"], ""),
    (
        Scheme(["secret"], clock=lambda: NOW - 86400 * 50).forward("j@a.example", "f.example"), ["secret"],
        "fail", ["f.example rewrote j@a.example, 50 days ago"], "bounces come too late",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sender", "secrets", "result", "sentences", "remedy"), SRS)
def test_srs(sender: str, secrets: list[str], result: str, sentences: list[str], remedy: str) -> None:
    [finding] = explained(MESSAGE, sender=sender, srs_secrets=secrets).of("SRS")
    assert finding.result == result
    has(finding, *sentences)
    assert finding.remedy.startswith(remedy)


def test_other_senders_are_not_rewritten_ones() -> None:
    assert explained(MESSAGE, sender="srs0@example.org").of("SRS") == ()


def test_wrong_address() -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        explained(MESSAGE, ip="nonsense")


def test_as_dict() -> None:
    found = explained(signed())
    plain = found.as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert [one["method"] for one in plain["findings"]] == ["SPF", "DKIM", "ARC", "DMARC"]
    assert (plain["status"], plain["findings"][1]["remedy"]) == (0, None)


def test_terminals_are_safe() -> None:
    message = b"Return-Path: <\x1b[31m@example.org>\r\nFrom: j@example.org\r\nSubject: \x1b]0;x\x07\r\n\r\n"
    text = str(explained(signed(message).replace(b"Subject: ", b"Subject: [\x1b[2J] "), sender=None))
    assert all(line.isprintable() for line in text.split("\n"))


READABLE = [("a\r\n b\tc", "a b c"), ("h\xc3\xa4", "hä"), ("hä€", "hä€"), ("h\xe4", "hä"), ("\x1b[0m", "?[0m")]


@pytest.mark.parametrize(("text", "expected"), READABLE)
def test_readable(text: str, expected: str) -> None:
    assert readable(text) == expected


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(st.binary(max_size=300))
def test_anything(data: bytes) -> None:
    for message in (data, b"Received: from " + data, b"Return-Path: " + data, sealed(MESSAGE) + data):
        found = explained(message, ip="", helo="", sender=None)
        assert all(line.isprintable() for line in str(found).split("\n"))


def test_five_lines_are_enough(tmp_path: Path) -> None:
    """A reader's first program."""
    (tmp_path / "m.eml").write_bytes(MESSAGE)
    program = """
import asyncio, sys
from eximious.mailauth.explain import explain
from eximious.mailauth.zone import read
message = open(sys.argv[1], "rb").read()
print(asyncio.run(explain(message, read("example.org TXT 'v=spf1'"), ip="192.0.2.1", sender="joe@example.org")))
"""
    command = [sys.executable, "-c", program, str(tmp_path / "m.eml")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout
    assert shown.startswith(("(HELO", "SPF"))


def test_helo_is_enough() -> None:
    found = explained(MESSAGE, sender=None, helo="other.example")
    assert found.spf is not None
    assert found.spf.identity == "helo"


def test_rewritten_by_nobody() -> None:
    [finding] = explained(MESSAGE, sender="SRS1=AAAA=g.example===@f.example", srs_secrets=["x"]).of("SRS")
    assert (finding.result, finding.remedy) == (
        "fail",
        "give the secret that the forwarder rewrites with, if it is yours; else only it can tell",
    )


def test_ed25519_seals_do_not_tell_whose_fault_it_is() -> None:
    damaged = TWICE.replace(b"Results: i=1; ", b"Results: i=1; (x) ")
    [finding] = explained(damaged).of("ARC")
    assert not any("the key is the sealer's" in line for line in finding.details)


def test_a_scheme_that_makes_other_addresses() -> None:
    """The form is right, but not for this scheme."""
    strict = Scheme(["secret"], hash_length=10, clock=lambda: NOW)
    [finding] = explained(MESSAGE, sender=FIRST, srs_secrets=["secret"], srs_scheme=strict).of("SRS")
    assert finding.details[0].endswith("has too short a hash")


def test_an_address_too_long_for_anybody() -> None:
    sender = f"SRS0=AAAA=JN=a.example={'x' * 600}@f.example"
    [finding] = explained(MESSAGE, sender=sender, srs_secrets=["secret"]).of("SRS")
    assert (finding.result, finding.remedy) == ("fail", "nothing: somebody made the address up")

"""Authentication-Results made from what was found."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from eximious.mailauth import arc, authres, dkim, dmarc, spf
from eximious.mailauth.explain import explain
from eximious.mailauth.resolver import StaticResolver
from eximious.mailauth.summary import authentication_results, of_arc, of_dkim, of_dmarc, of_spf
from tests.mailauth.keys import ED25519

MESSAGE = b"Authentication-Results: example.org; spf=pass\r\nFrom: joe@example.org\r\n\r\nx\r\n"
SIGNED = dkim.sign(MESSAGE, dkim.Signer("example.org", "s", ED25519, identity="joe@example.org"), now=0)
SEALED = arc.seal(MESSAGE, arc.Sealer("example.org", "s", ED25519, authserv_id="example.org"))
ZONE: dict[str, Any] = {
    "example.org": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
    "bad.example.org": {"TXT": ["v=spf1 nonsense"]},
    "s._domainkey.example.org": {"TXT": [ED25519.record()]},
    "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]},
    "_dmarc.down.example": {"TXT": None},
}
RESOLVER = StaticResolver(ZONE)


@pytest.mark.parametrize(
    ("sender", "helo", "expected"),
    [
        ("joe@example.org", "mx.example", "spf=pass smtp.mailfrom=joe@example.org"),
        ("joe@other.example", "mx.example", 'spf=none smtp.mailfrom=joe@other.example'),
        ("", "example.org", "spf=pass smtp.helo=example.org"),
        (
            "joe@bad.example.org", "x",
            'spf=permerror reason="bad.example.org: \\"nonsense\\": there is no mechanism \\"nonsense\\"" '
            "smtp.mailfrom=joe@bad.example.org",
        ),
    ],
)  # fmt: skip
def test_spf(sender: str, helo: str, expected: str) -> None:
    verdict = asyncio.run(spf.check_mail_from("192.0.2.1", sender, helo, resolver=RESOLVER))
    assert str(of_spf(verdict)) == expected


def test_dkim() -> None:
    [good] = asyncio.run(dkim.verify(SIGNED, RESOLVER, now=0))
    found = of_dkim(good)
    assert found.value("header", "d") == "example.org"
    assert found.value("header", "i") == "joe@example.org"
    assert len(found.value("header", "b") or "") == 8
    assert str(found).startswith("dkim=pass header.d=example.org header.s=s header.a=ed25519-sha256")
    [bad] = asyncio.run(dkim.verify(SIGNED + b"more", RESOLVER, now=0))
    assert str(of_dkim(bad)).startswith('dkim=fail reason="the body was changed" header.d=')
    [unreadable] = asyncio.run(dkim.verify(b"DKIM-Signature: nonsense\r\n" + MESSAGE, RESOLVER))
    assert str(of_dkim(unreadable)) == 'dkim=neutral reason="the signature cannot be read"'


def test_arc() -> None:
    chain = asyncio.run(arc.validate(SEALED, RESOLVER))
    assert str(of_arc(chain)) == "arc=pass header.oldest-pass=0"
    assert of_arc(asyncio.run(arc.validate(SEALED + b"more", RESOLVER))).result == "fail"
    down = StaticResolver({"s._domainkey.example.org": None})
    unknown = of_arc(asyncio.run(arc.validate(SEALED, down)))
    assert (unknown.result, "cannot be asked for now" in unknown.reason) == ("fail", True)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("example.org", "dmarc=fail header.from=example.org policy.dmarc=reject"),
        ("other.example", "dmarc=none header.from=other.example"),
        (
            "down.example",
            'dmarc=temperror reason="TXT of _dmarc.down.example: the table says so" header.from=down.example',
        ),
    ],
)  # fmt: skip
def test_dmarc(domain: str, expected: str) -> None:
    assert str(of_dmarc(asyncio.run(dmarc.check(domain, resolver=RESOLVER)))) == expected


def test_whole_fields_can_be_read() -> None:
    found = asyncio.run(explain(SIGNED, RESOLVER, ip="192.0.2.1", helo="mx", sender="joe@example.org", now=0))
    field = found.authentication_results("mx.example")
    assert authres.parse(field.to_text()) == field
    assert [(one.method, one.result) for one in field.results] == [
        ("spf", "pass"), ("dkim", "pass"), ("arc", "none"), ("dmarc", "pass"),
    ]  # fmt: skip
    assert str(authentication_results("mx.example", dkim=(), dmarc=())) == "mx.example; dkim=none; dmarc=none"
    assert str(authentication_results("mx.example")) == "mx.example; none"

"""Damaged messages, records and reports: nothing undocumented is raised, and all is quick."""

from __future__ import annotations

import asyncio

from mutation import run

from eximious.mailauth import arc, authres, dkim, dmarc, spf, srs, zone
from eximious.mailauth.dkim import key as keys
from eximious.mailauth.explain import explain
from eximious.mailauth.reports import aggregate, failure
from eximious.mailauth.resolver import StaticResolver
from eximious.mailauth.srs import native

KEY = dkim.PrivateKey.load(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
PLAIN = b"Authentication-Results: example.org; spf=pass\r\nFrom: joe@example.org\r\nSubject: x\r\n\r\ntext \t\r\n\r\n"
SIGNED = dkim.sign(PLAIN, dkim.Signer("example.org", "s", KEY))
SEALED = arc.seal(SIGNED, arc.Sealer("example.org", "s", KEY, authserv_id="example.org"))
REPORT = aggregate.Report(
    "a", "b@c", "1", 1, 2, aggregate.Published("example.org"), (aggregate.Row("192.0.2.1", 1, "d"),)
)
FAILURE = failure.to_mail(
    failure.Failure("example.org", "192.0.2.1", original=PLAIN), sender="a@b", recipient="c@d", message_id="1@b", now=0
)
ENVELOPE = b"Return-Path: <a@b>\r\nReceived: from x (y [192.0.2.1] helo=z) by w\r\n"
SCHEME = srs.Scheme(["secret"], clock=lambda: 0.0, max_local_part=64)
SEEDS = [
    b"SRS0=VB/M=AA=example.com=joe@example.org",
    b"SRS1=VB/M=example.com==abcd=QA=example.net=joe@example.org",
    SIGNED,
    SEALED,
    KEY.record().encode(),
    b"v=spf1 a mx/24 include:example.org exists:%{i}.%{d2r-}.example.org ip4:192.0.2.0/24 exp=x.example.org -all",
    b"v=DMARC1; p=reject; sp=none; rua=mailto:a@example.org!10m; fo=1:d:s; pct=30",
    b'mx.example.org 1; spf=pass (it) smtp.mailfrom=a@example.org; dkim=fail reason="x" header.d=example.org',
    REPORT.to_xml(),
    aggregate.packed(REPORT),
    FAILURE,
    b"Return-Path: <a@b>\r\nReceived: from x (y [192.0.2.1] helo=z) by w\r\n"
    + SIGNED.replace(b"Subject: ", b"Subject: [l] "),
    b'example.org. 300 IN TXT "v=spf1 " "-all" ; nobody\nmx.example.org A 192.0.2.1\nx SERVFAIL',
    SCHEME.forward("joe@example.com", "a.example").encode(),
    SCHEME.forward(SCHEME.forward("joe@example.com", "a.example"), "b.example").encode(),
]


async def authenticate(data: bytes) -> bool:
    """Everything that takes a message or a record."""
    zone = {
        "s._domainkey.example.org": {"TXT": [KEY.record()]},
        "d._domainkey.example.org": {"TXT": [data]},
        "example.org": {"TXT": [data], "A": ["192.0.2.1"], "MX": [(1, "example.org")]},
        "_dmarc.example.org": {"TXT": [data]},
    }
    resolver = StaticResolver(zone)
    for verified in await dkim.verify(data, resolver):
        str(verified)
    await dkim.verify(SIGNED.replace(b"s=s;", b"s=d;"), resolver)
    str(await arc.validate(data, resolver))
    arc.seal(data, arc.Sealer("example.org", "s", KEY))
    verdict = await spf.check_mail_from("192.0.2.1", "joe@example.org", "example.org", resolver=resolver)
    verdict.received_spf("mx")
    assert len(resolver.asked) < 500
    explanation = await explain(data, resolver)
    assert all(line.isprintable() for line in str(explanation).split("\n"))
    authres.parse(explanation.authentication_results("mx").to_text())
    text = data.decode("latin-1")
    for domain in dmarc.author_domains(text)[:3]:
        str(await dmarc.check(domain, resolver=resolver))
    str(await dmarc.check("sub.example.org", resolver=resolver, spf=("example.org", "fail")))
    return verdict.result is not spf.Result.PERMERROR


def check(data: bytes) -> bool:
    """Give the octets to all readers."""
    good = asyncio.run(authenticate(data))
    text = data.decode("latin-1")
    native.decode("", text, 0.0)
    native.decode("secret", native.encode("secret", text, "a.example", 0.0), 0.0)
    for reader, error in (
        (lambda: authres.parse(text), authres.AuthresError),
        (lambda: keys.parse(text), dkim.KeyFault),
        (lambda: aggregate.read(data), aggregate.ReportFault),
        (lambda: failure.read(data), failure.FailureFault),
        (lambda: SCHEME.reverse(text, str), srs.SrsError),
        (lambda: SCHEME.reverse(SCHEME.forward(text, "a.example")), srs.SrsError),
        (lambda: zone.read(text), zone.ZoneError),
    ):
        try:
            reader()
            good = True
        except error:
            continue
    return good


if __name__ == "__main__":
    run(__doc__, SEEDS, check)

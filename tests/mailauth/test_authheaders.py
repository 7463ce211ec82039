"""Our Authentication-Results beside those of authheaders, over a table of messages.

Where authheaders is known to differ from the RFCs, the row says what it answers, and why that is not ours.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from eximious.mailauth import arc, authres, dkim, dmarc
from eximious.mailauth.explain import explain
from eximious.mailauth.resolver import StaticResolver
from tests.mailauth.keys import RSA

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import authheaders
    import spf as pyspf

MESSAGE = b"From: Joe <joe@example.org>\r\nTo: jane@example.com\r\nSubject: Lunch\r\n\r\nSalad?\r\n"
ZONE: dict[str, dict[str, Any]] = {
    "example.org": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
    "sub.example.org": {"TXT": ["v=spf1 ip4:192.0.2.1 ~all"]},
    "other.example": {"TXT": ["v=spf1 +all"]},
    "broken.example": {"TXT": ["v=spf1 nonsense"]},
    "s._domainkey.example.org": {"TXT": [RSA.record()]},
    "s._domainkey.other.example": {"TXT": [RSA.record()]},
    "s._domainkey.sub.example.org": {"TXT": [RSA.record()]},
    "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]},
    # authheaders reports sp= for the domain itself, too; so there is one record with it, for a subdomain only.
    "_dmarc.example.net": {"TXT": ["v=DMARC1; p=reject; sp=quarantine"]},
    "_dmarc.strict.example": {"TXT": ["v=DMARC1; p=none; adkim=s; aspf=s"]},
    "_dmarc.twice.example": {"TXT": ["v=DMARC1; p=none"]},
    "sub.strict.example": {"TXT": ["v=spf1 +all"]},
    "strict.example": {"TXT": ["v=spf1 +all"]},
}


def answer(name: str | bytes, timeout: int = 5) -> Any:
    """The one TXT record, as authheaders (text) and dkimpy (octets) want it."""
    plain = (name.decode("ascii") if isinstance(name, bytes) else name).rstrip(".")
    [text] = ZONE.get(plain, {}).get("TXT", [None])
    return text.encode("ascii") if isinstance(name, bytes) and text is not None else text


def lookup(name: str, qtype: str, *_: Any, **__: Any) -> Iterator[Any]:
    for data in ZONE.get(name.lower(), {}).get(qtype, ()):
        yield (name, qtype), (data.encode(),) if qtype == "TXT" else data


def author(domain: str) -> bytes:
    return MESSAGE.replace(b"joe@example.org", b"joe@" + domain.encode())


def signed(domain: str = "example.org", message: bytes = MESSAGE) -> bytes:
    return dkim.sign(message, dkim.Signer(domain, "s", RSA))


def sealed(message: bytes, results: bytes = b"spf=pass") -> bytes:
    message = b"Authentication-Results: other.example; " + results + b"\r\n" + message
    return arc.seal(message, arc.Sealer("other.example", "s", RSA, authserv_id="other.example"))


HERE, ELSEWHERE = "192.0.2.1", "192.0.2.9"
CASES = [
    (MESSAGE, HERE, "joe@example.org"),
    (MESSAGE, ELSEWHERE, "joe@example.org"),
    (MESSAGE, HERE, "joe@sub.example.org"),
    (MESSAGE, ELSEWHERE, "joe@sub.example.org"),
    (MESSAGE, HERE, "joe@other.example"),
    (MESSAGE, HERE, "joe@broken.example"),
    (MESSAGE, HERE, "joe@nothing.example"),
    (signed(), ELSEWHERE, "joe@other.example"),
    (signed(), ELSEWHERE, "joe@example.org"),
    (signed("other.example"), ELSEWHERE, "joe@example.org"),
    (signed("sub.example.org"), ELSEWHERE, "joe@example.org"),
    (signed().replace(b"Lunch", b"[l] Lunch"), ELSEWHERE, "joe@example.org"),
    (signed() + b"footer\r\n", HERE, "joe@example.org"),
    (signed(message=author("sub.example.org")), ELSEWHERE, "joe@other.example"),
    (author("sub.example.org"), HERE, "joe@example.org"),
    (author("strict.example"), HERE, "joe@strict.example"),
    (author("strict.example"), HERE, "joe@sub.strict.example"),
    (author("sub.example.net"), HERE, "joe@other.example"),
    (author("nothing.example"), HERE, "joe@other.example"),
    (sealed(MESSAGE), HERE, "joe@other.example"),
    (sealed(sealed(MESSAGE), b"arc=pass"), HERE, "joe@other.example"),
    (sealed(signed()), ELSEWHERE, "joe@other.example"),
    (sealed(MESSAGE) + b"footer\r\n", HERE, "joe@other.example"),
]


def ours(message: bytes, ip: str, sender: str, method: dmarc.Method) -> authres.AuthenticationResults:
    found = asyncio.run(
        explain(message, StaticResolver(ZONE), ip=ip, helo="mx.other.example", sender=sender, method=method)
    )
    return found.authentication_results("mx.example")


def theirs(message: bytes, ip: str, sender: str, bis: bool) -> authres.AuthenticationResults:
    text = authheaders.authenticate_message(
        message, "mx.example", spf=True, dkim=b"DKIM-Signature" in message, arc=True, dmarc=True,
        ip=ip, mail_from=sender, helo="mx.other.example", dnsfunc=answer, dmarcbis=bis,
    )  # fmt: skip
    return authres.parse(text.partition(":")[2])


@pytest.mark.parametrize("method", dmarc.Method)
@pytest.mark.parametrize(("message", "ip", "sender"), CASES)
def test_same(message: bytes, ip: str, sender: str, method: dmarc.Method, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyspf, "DNSLookup", lookup)
    monkeypatch.setattr(authheaders, "check_psddmarc_list", lambda *_, **__: False)
    mine, other = ours(message, ip, sender, method), theirs(message, ip, sender, method is dmarc.Method.TREE_WALK)
    for name in ("spf", "dkim", "arc", "dmarc"):
        one, two = mine.result(name), other.result(name)
        assert one is not None
        assert one.result == (two.result if two is not None else "none"), (str(mine), str(other))
        if two is None:
            continue
        for ptype, key in (("header", "d"), ("header", "from"), ("policy", "dmarc")):
            value = two.value(ptype, key)
            if value:
                assert one.value(ptype, key) == value, (str(mine), str(other))

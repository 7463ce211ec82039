"""Chains that dkimpy and we make in turn, then damage: both come to the same."""

from __future__ import annotations

import asyncio
import re

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization

from eximious.mailauth.arc import Sealer, seal, validate
from eximious.mailauth.resolver import StaticResolver
from tests.mailauth.keys import RSA, rsa

NOW = 1_700_000_000
MESSAGES = [
    b"From: joe@example.org\r\nTo: jane@example.com\r\nSubject:  folded\r\n\t and   wide \r\n\r\nSalad?\r\n",
    b"From: joe@example.org\r\nSubject: x\r\n\r\n text \t with  space \r\n\r\n\r\n",
    b"From: joe@example.org\r\n\r\n",
    b"From: joe@example.org\r\nSubject: \xc3\xa9\r\nDate: now\r\n\r\n\xff\xfe\r\n" + b"line\r\n" * 1000,
]
MAKERS = ["ours", "theirs", "ours theirs", "theirs ours", "theirs ours theirs", "ours ours theirs theirs"]
RESOLVER = StaticResolver({f"s._domainkey.{n}.example": {"TXT": [RSA.record()]} for n in range(1, 5)})


def dns(name: bytes, timeout: int = 5) -> bytes:
    return RSA.record().encode() if re.fullmatch(rb"s\._domainkey\.[1-4]\.example\.", name) else b""


def chained(message: bytes, makers: str) -> bytes:
    key = rsa().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    for number, maker in enumerate(makers.split(), 1):
        domain = f"{number}.example"
        state = "none" if number == 1 else "pass"
        message = f"Authentication-Results: {domain}; arc={state}; spf=pass\r\n".encode() + message
        if maker == "ours":
            message = seal(message, Sealer(domain, "s", RSA, authserv_id=domain), now=NOW)
        else:
            name = domain.encode()
            message = b"".join(dkimpy.arc_sign(message, b"s", name, key, name, timestamp=NOW)) + message
    return message


def both(message: bytes) -> tuple[str, str]:
    """What dkimpy says, and what we say."""
    # It has no result for a chain that says itself that it fails; RFC 8617 section 5.2 has.
    theirs = dkimpy.arc_verify(message, dnsfunc=dns)[0] or dkimpy.CV_Fail
    return theirs.decode(), asyncio.run(validate(message, RESOLVER, now=NOW)).result.value


@pytest.mark.parametrize("makers", MAKERS)
@pytest.mark.parametrize("message", MESSAGES)
def test_intact(message: bytes, makers: str) -> None:
    assert both(chained(message, makers)) == ("pass", "pass")


DAMAGES: list[tuple[bytes, bytes]] = [
    (rb"\Z", b"footer\r\n"),
    (rb"From: joe", b"From: eve"),
    (rb"cv=none", b"cv=pass"),
    (rb"cv=pass", b"cv=none"),
    (rb"cv=(pass|none)", b"cv=fail"),
    (rb"spf=pass", b"spf=fail"),
    (rb"i=1", b"i=9"),
    (rb"(?s)ARC-Seal:.*?\r\n(?=\S)", b""),
    (rb"(?s)ARC-Message-Signature:.*?\r\n(?=\S)", b""),
    (rb"(?s)ARC-Authentication-Results:.*?\r\n(?=\S)", b""),
    (rb"(?s)(ARC-Seal:.*?\r\n(?=\S))", rb"\1\1"),
    (rb"d=1\.example", b"d=5.example"),
    (rb"a=rsa-sha256", b"a=rsa-md5"),
    (rb"\Z", b"\r\n\r\n"),  # harmless
    (rb"From: joe", b"X-New: field\r\nFrom: joe"),  # harmless
]


@pytest.mark.parametrize("makers", ["ours", "theirs", "ours theirs", "theirs ours"])
@pytest.mark.parametrize(("pattern", "new"), DAMAGES)
def test_damaged(makers: str, pattern: bytes, new: bytes) -> None:
    damaged = re.sub(pattern, new, chained(MESSAGES[0], makers), count=1)
    theirs, ours = both(damaged)
    assert theirs == ours


def test_a_second_from() -> None:
    """Not signed, as h= has one From. dkimpy refuses it all the same; we leave that to DMARC, which sees both."""
    damaged = chained(MESSAGES[0], "ours").replace(b"\r\nFrom: joe", b"\r\nFrom: eve@example.org\r\nFrom: joe")
    assert both(damaged) == ("fail", "pass")

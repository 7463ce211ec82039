"""What dkimpy signs is verified here, and the reverse; both refuse what was changed."""

from __future__ import annotations

import asyncio
from typing import Any

import dkim as dkimpy
import pytest

from eximious.mailauth.dkim import Result, Signer, sign, verify
from eximious.mailauth.resolver import StaticResolver
from tests.mailauth.keys import RSA, rsa

RESOLVER = StaticResolver({"s._domainkey.example.org": {"TXT": [RSA.record()]}})
MESSAGES = [
    b"From: joe@example.org\r\nSubject: x\r\n\r\nbody\r\n",
    b"From: joe@example.org\r\nSubject:  folded\r\n\t and   wide \r\nTo:\r\n\r\n text \t with  space \r\n\r\n\r\n",
    b"From: joe@example.org\r\n\r\n",
    b"From: joe@example.org\r\n\r\n\r\n\r\n",
    b"From: joe@example.org\r\nReceived: 1\r\nReceived: 2\r\n\r\nno end",
    b"From: \xc3\xa9@example.org\r\nX: \xff\r\n\r\n\xff\xfe\r\n" + b"line\r\n" * 3000,
]
FORMS = [(header, body) for header in (b"simple", b"relaxed") for body in (b"simple", b"relaxed")]


def dns(name: bytes, timeout: int = 5) -> bytes:
    return RSA.record().encode() if name == b"s._domainkey.example.org." else b""


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("form", FORMS)
def test_dkimpy_signs(message: bytes, form: tuple[bytes, bytes]) -> None:
    field = dkimpy.sign(message, b"s", b"example.org", _traditional(), canonicalize=form)
    [found] = asyncio.run(verify(field + message, RESOLVER))
    assert found.result is Result.PASS, found
    [changed] = asyncio.run(verify(field + message + b"more", RESOLVER))
    assert changed.result is Result.FAIL


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("form", FORMS)
def test_dkimpy_verifies(message: bytes, form: tuple[bytes, bytes]) -> None:
    options: dict[str, Any] = {"is_header_relaxed": form[0] == b"relaxed", "is_body_relaxed": form[1] == b"relaxed"}
    signed = sign(message, Signer("example.org", "s", RSA, **options))
    assert dkimpy.verify(signed, dnsfunc=dns)
    assert not dkimpy.verify(signed + b"more", dnsfunc=dns)


def _traditional() -> bytes:
    """dkimpy reads keys in this form."""
    from cryptography.hazmat.primitives import serialization

    return rsa().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )

"""What dkimpy signs is verified here, and the reverse; both refuse what was changed."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import dkim as dkimpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eximious.mailauth.dkim import Result, Signer, sign, verify
from eximious.mailauth.resolver import StaticResolver
from tests.mailauth.keys import ED25519, RSA, rsa

RECORDS = {"s._domainkey.example.org": RSA.record(), "e._domainkey.example.org": ED25519.record()}
RESOLVER = StaticResolver({name: {"TXT": [text]} for name, text in RECORDS.items()})
SEED = base64.b64encode(bytes(range(32)))  # of ED25519
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
    return RECORDS.get(name.decode().removesuffix("."), "").encode()


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


@pytest.mark.parametrize("message", MESSAGES)
def test_ed25519(message: bytes) -> None:
    field = dkimpy.sign(message, b"e", b"example.org", SEED, signature_algorithm=b"ed25519-sha256")
    [found] = asyncio.run(verify(field + message, RESOLVER))
    assert (found.result, found.signature.algorithm) == (Result.PASS, "ed25519-sha256"), found
    assert asyncio.run(verify(field + message + b"more", RESOLVER))[0].result is Result.FAIL
    signed = sign(message, Signer("example.org", "e", ED25519))
    assert dkimpy.verify(signed, dnsfunc=dns)
    assert not dkimpy.verify(signed + b"more", dnsfunc=dns)


@pytest.mark.parametrize("message", [MESSAGES[0], MESSAGES[1], MESSAGES[5]])
def test_length(message: bytes) -> None:
    field = dkimpy.sign(message, b"s", b"example.org", _traditional(), length=True)
    [found] = asyncio.run(verify(field + message + b"more", RESOLVER))
    assert (found.result, found.unsigned_octets > 0) == (Result.PASS, True)
    signed = sign(message, Signer("example.org", "s", RSA, length=2))
    assert dkimpy.verify(signed + b"more", dnsfunc=dns)


@pytest.mark.parametrize("message", MESSAGES)
def test_several_signatures(message: bytes) -> None:
    """Whoever signs second signs the other's signature as it is."""
    twice = sign(dkimpy.sign(message, b"e", b"example.org", SEED, signature_algorithm=b"ed25519-sha256") + message,
                 Signer("example.org", "s", RSA))  # fmt: skip
    assert [one.result for one in asyncio.run(verify(twice, RESOLVER))] == [Result.PASS, Result.PASS]
    for number in (0, 1):
        assert dkimpy.DKIM(twice).verify(idx=number, dnsfunc=dns)


LETTERS = st.sampled_from([b"a", b"B", b" ", b"\t", b"\r\n", b"\r\n ", b":", b";", b"\xc3\xa9", b"=", b"\r\n\r\n"])


@settings(deadline=None, max_examples=60)
@given(st.lists(LETTERS, max_size=12), st.lists(LETTERS, max_size=20), st.sampled_from(FORMS))
def test_any_message(subject: list[bytes], body: list[bytes], form: tuple[bytes, bytes]) -> None:
    """What one signs, the other verifies, whatever the white space."""
    value = b"".join(subject).replace(b"\r\n\r\n", b"").replace(b"\r\n", b"\r\n ").rstrip(b" \t\r\n")
    message = b"From: joe@example.org\r\nSubject:x" + value + b"\r\n\r\n" + b"".join([*body, b"\r\n"] if body else [])
    field = dkimpy.sign(message, b"e", b"example.org", SEED, canonicalize=form, signature_algorithm=b"ed25519-sha256")
    [found] = asyncio.run(verify(field + message, RESOLVER))
    assert found.result is Result.PASS, found
    options: dict[str, Any] = {"is_header_relaxed": form[0] == b"relaxed", "is_body_relaxed": form[1] == b"relaxed"}
    assert dkimpy.verify(sign(message, Signer("example.org", "e", ED25519, **options)), dnsfunc=dns)


def _traditional() -> bytes:
    """dkimpy reads keys in this form."""
    from cryptography.hazmat.primitives import serialization

    return rsa().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )

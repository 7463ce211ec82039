from __future__ import annotations

import base64

import pytest

from eximious.mailauth.dkim import KeyFault, PrivateKey, Signer
from eximious.mailauth.dkim.sign import signed_names
from eximious.mailauth.message import Headers
from tests.mailauth.keys import ED25519, RSA, ed25519, pem, rsa

HEADERS = Headers([b"From: a\r\n", b"Received: 1\r\n", b"Received: 2\r\n", b"To: b\r\n"])


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["from"], ["From"]),
        (["From", "subject", "to"], ["To", "From", "subject"]),
        (["+from", "+subject"], ["From", "from", "subject"]),
        (["from", "=received", "=subject"], ["Received", "Received", "From"]),
        (["from", "received", "received", "received"], ["Received", "Received", "From", "received"]),
        (["from", "received", "+received"], ["Received", "Received", "From", "received"]),
        (["to"], ["To", "From"]),
        ([], ["From"]),
    ],
)
def test_names(wanted: list[str], names: list[str]) -> None:
    assert signed_names(HEADERS, wanted) == names


def test_keys_in_several_forms() -> None:
    seed = base64.b64encode(bytes(range(32))).decode()
    for text in (pem(ed25519()), pem(ed25519()).decode(), seed):
        assert PrivateKey.load(text).record() == ED25519.record()
    assert PrivateKey.load(pem(rsa())).record() == RSA.record()
    der = b"".join(pem(rsa()).splitlines()[1:-1])
    assert PrivateKey.load(der).record() == RSA.record()


BAD_PEM = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("text", ["", "secret words", BAD_PEM])
def test_cve_2016_9963_a_key_is_never_shown(text: str) -> None:
    with pytest.raises(KeyFault) as raised:
        PrivateKey.load(text)
    assert "secret" not in str(raised.value)
    assert "c2VjcmV0" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert repr(RSA) == "PrivateKey(rsa)"


def test_impossible_signers() -> None:
    with pytest.raises(ValueError, match="identity"):
        Signer("example.org", "s", RSA, identity="joe@example.com")
    with pytest.raises(ValueError, match="hash"):
        Signer("example.org", "s", ED25519, hash_name="sha1")

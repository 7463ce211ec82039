"""Ed25519 signatures: what is one, and what is not."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.dkim.ed25519 import Ed25519Key
from tests.mailauth.keys import ed25519

DATA = b"\x01" * 32
KEY = Ed25519Key(ed25519().public_key().public_bytes_raw())
SIGNATURE = ed25519().sign(DATA)
ORDER = 2**252 + 27742317777372353535851937790883648493


def larger_scalar(signature: bytes) -> bytes:
    """The same signature with its scalar not reduced (RFC 8032 section 5.1.7 forbids it)."""
    return signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")


@pytest.mark.parametrize(
    ("signature", "data", "is_good"),
    [
        (SIGNATURE, DATA, True),
        (SIGNATURE, DATA + b"\x01", False),
        (SIGNATURE[:-1], SIGNATURE[-1:] + DATA, False),
        (SIGNATURE + DATA[:1], DATA[1:], False),
        (b"", SIGNATURE + DATA, False),
        (b"", b"", False),
        (bytes(64), DATA, False),
        (larger_scalar(SIGNATURE), DATA, False),
    ],
)
def test_verify(signature: bytes, data: bytes, is_good: bool) -> None:
    assert KEY.verify(signature, data) is is_good


@pytest.mark.parametrize("octets", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_keys_that_are_no_points_or_of_small_order(octets: bytes) -> None:
    assert not Ed25519Key(octets).verify(b"\x01" + bytes(63), DATA)
    assert not Ed25519Key(octets).verify(SIGNATURE, DATA)


@given(position=st.integers(0, 63), change=st.integers(0, 255))
def test_it_agrees_with_openssl(position: int, change: int) -> None:
    signature = bytearray(SIGNATURE)
    signature[position] ^= change
    try:
        ed25519().public_key().verify(bytes(signature), DATA)
    except InvalidSignature:
        is_good = False
    else:
        is_good = True
    assert KEY.verify(bytes(signature), DATA) is is_good

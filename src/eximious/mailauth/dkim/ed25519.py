"""Ed25519 signatures verified by libsodium (through PyNaCl), which takes half the time that OpenSSL does.

Imported when the first such key is there: most mail is signed with RSA.
"""

from __future__ import annotations

from typing import Final

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

KEY_LENGTH: Final = 32
SIGNATURE_LENGTH: Final = 64


class Ed25519Key:
    """A public key (RFC 8032 section 5.1.5); `octets` are 32."""

    __slots__ = ("octets",)

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Is it the owner's signature of the data?"""
        if len(signature) != SIGNATURE_LENGTH:
            return False  # what libsodium reads is signature and data in one piece
        try:
            crypto_sign_open(signature + data, self.octets)
        except BadSignatureError:
            return False
        return True

"""Keys: records of public ones in the DNS (RFC 6376 section 3.6, RFC 8463), and private ones to sign with."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from eximious.mailauth import taglist
from eximious.mailauth.taglist import TagError

if TYPE_CHECKING:
    from eximious.mailauth.dkim.ed25519 import Ed25519Key
    from eximious.mailauth.resolver import Answer

ED25519_BITS: Final = 256
RSA_BITS_LIMIT: Final = 16_384  # a larger key costs too much to verify with
_PADDING: Final = PKCS1v15()
HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha512": hashes.SHA512(),
}
_ED25519_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")


class KeyFault(ValueError):
    """A key record, or a private key, is of no use. Never says what is in a private one."""


class KeyRecord:
    """A public key, with what its owner says about its use."""

    __slots__ = ("bits", "flags", "hashes", "is_revoked", "notes", "public_key", "services", "text", "type")

    def __init__(self, text: str) -> None:
        self.text = text
        self.type = "rsa"
        self.hashes: frozenset[str] = frozenset()  # that may be used; empty: all
        self.services: frozenset[str] = frozenset({"*"})
        self.flags: frozenset[str] = frozenset()
        self.notes = ""
        self.public_key: RSAPublicKey | Ed25519Key | None = None
        self.bits = 0
        self.is_revoked = False

    def __repr__(self) -> str:
        return f"KeyRecord({self.type}, {self.bits} bits)"

    @property
    def is_testing(self) -> bool:
        """The domain tests DKIM: failures mean nothing (t=y)."""
        return "y" in self.flags

    @property
    def is_strict(self) -> bool:
        """The identity's domain must be the signing domain itself (t=s)."""
        return "s" in self.flags

    def verify(self, signature: bytes, data: bytes, digest: bytes, hash_name: str) -> bool:
        """Is it the signature of the data? For Ed25519 it is that of the data's `digest`."""
        key = self.public_key
        if key is None:
            return False
        if not isinstance(key, RSAPublicKey):
            return key.verify(signature, digest)
        try:
            key.verify(signature, data, _PADDING, HASHES[hash_name])
        except InvalidSignature:
            return False
        return True


def parse(text: str) -> KeyRecord:
    """Read a key record, octets in str. Raises KeyFault."""
    record = KeyRecord(text)
    try:
        tags = taglist.parse(text)
        if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
            raise KeyFault("v= is not DKIM1 at the beginning")
        record.type = tags.get("k", "rsa")
        if "h" in tags:
            record.hashes = frozenset(taglist.words(tags["h"]))
        if "s" in tags:
            record.services = frozenset(taglist.words(tags["s"]))
        if "t" in tags:
            record.flags = frozenset(taglist.words(tags["t"]))
        record.notes = tags.get("n", "")
        if "p" not in tags:
            raise KeyFault("p= is missing")
        data = taglist.base64_value("p", tags["p"])
    except TagError as error:
        raise KeyFault(str(error)) from None
    if data:
        _load_public(record, data)
    else:
        record.is_revoked = True
    return record


def _load_public(record: KeyRecord, data: bytes) -> None:
    if record.type == "ed25519":
        if len(data) == 44 and data.startswith(_ED25519_PREFIX):
            data = data[12:]  # some put a whole SubjectPublicKeyInfo there
        from eximious.mailauth.dkim.ed25519 import KEY_LENGTH, Ed25519Key

        if len(data) != KEY_LENGTH:
            raise KeyFault("p= is not an Ed25519 key")
        record.public_key = Ed25519Key(data)
        record.bits = ED25519_BITS
        return
    if record.type != "rsa":
        raise KeyFault(f'k= names an unknown type of key, "{record.type[:20]}"')
    try:
        key = serialization.load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFault("p= is not an RSA key") from None
    if not isinstance(key, RSAPublicKey) or key.key_size > RSA_BITS_LIMIT:
        raise KeyFault("p= is not an RSA key")
    record.public_key = key
    record.bits = key.key_size


def from_answer(answer: Answer) -> KeyRecord | str:
    """The key in an answer, read once; a sentence if there is none of use."""
    known = answer.parsed.get("dkim")
    if known is None:
        known = answer.parsed["dkim"] = _first_good(answer)
    assert isinstance(known, (KeyRecord, str))
    return known


def _first_good(answer: Answer) -> KeyRecord | str:
    fault = "the answer is empty"
    for number, data in enumerate(answer.data[:10]):
        try:
            return parse(data.decode("latin-1"))
        except KeyFault as error:
            if number == 0:
                fault = str(error)
    return fault


class PrivateKey:
    """A key to sign with. Its representation shows nothing of it."""

    __slots__ = ("_key", "type")

    def __init__(self, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
        self._key = key
        self.type = "rsa" if isinstance(key, RSAPrivateKey) else "ed25519"

    def __repr__(self) -> str:
        return f"PrivateKey({self.type})"

    @classmethod
    def load(cls, text: str | bytes) -> PrivateKey:
        """From PEM, or from the base64 of a DER key or of the 32 octets of an Ed25519 seed. Raises KeyFault."""
        data = text.encode("latin-1", "replace") if isinstance(text, str) else text
        try:
            key = _loaded(data.strip())
        except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
            raise KeyFault("the private key cannot be read") from None
        if not isinstance(key, (RSAPrivateKey, Ed25519PrivateKey)):
            raise KeyFault("the private key is neither RSA nor Ed25519")
        return cls(key)

    @property
    def signature_length(self) -> int:
        """Characters of a signature in base64."""
        octets = (self._key.key_size + 7) // 8 if isinstance(self._key, RSAPrivateKey) else 64
        return (octets + 2) // 3 * 4

    def sign(self, data: bytes, digest: bytes, hash_name: str) -> bytes:
        """The signature of the data; for Ed25519 that of its `digest`."""
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(data, _PADDING, HASHES[hash_name])
        return self._key.sign(digest)

    def record(self) -> str:
        """The record to publish for it."""
        public = self._key.public_key()
        if isinstance(public, Ed25519PublicKey):
            data = public.public_bytes_raw()
        else:
            data = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k={self.type}; p={base64.b64encode(data).decode('ascii')}"


def _loaded(data: bytes) -> object:
    if data.startswith(b"-----"):
        return serialization.load_pem_private_key(data, None)
    der = base64.b64decode(b"".join(data.split()), validate=True)
    if len(der) == 32:
        return Ed25519PrivateKey.from_private_bytes(der)
    return serialization.load_der_private_key(der, None)

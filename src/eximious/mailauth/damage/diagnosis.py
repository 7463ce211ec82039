"""What happened to a message since it was signed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from eximious.mailauth.canonical import BodyHashes
from eximious.mailauth.damage import body as bodies
from eximious.mailauth.damage.change import Change
from eximious.mailauth.damage.header import TRY_LIMIT, HeaderSearch
from eximious.mailauth.dkim.key import HASHES
from eximious.mailauth.dkim.signature import unsigned
from eximious.mailauth.dkim.verify import copies
from eximious.mailauth.message import Headers, split

if TYPE_CHECKING:
    from eximious.mailauth.dkim.key import KeyRecord
    from eximious.mailauth.dkim.signature import Signature

VERIFY_LIMIT: Final = 5000  # signatures that are verified for one search, where the signed hash cannot be read
KEY_REMEDY: Final = "publish the public key of the private one that signs, or sign with the selector that has it"
UNKNOWN_REMEDY: Final = "compare with the message that was signed, or sign with z=, which keeps copies of the fields"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known about the damage.

    `is_body_intact` and `is_header_intact` say what of the signature still holds; `is_key_right` whether the published
    key is that of the signer, None if that cannot be known. `changes` explain the damage as far as it was found out.
    """

    is_body_intact: bool
    is_header_intact: bool
    is_key_right: bool | None
    changes: tuple[Change, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What was found, for people."""
        found = []
        if self.is_key_right is False:
            found.append("the signature was not made with the published key, or was itself damaged")
        elif self.is_header_intact and not self.is_body_intact:
            found.append("the signed header is as it was; only the body was changed")
        elif self.is_body_intact and not self.is_header_intact:
            sure = ", and the key is the signer's" if self.is_key_right else ""
            found.append(f"the body is as it was{sure}; the header was changed")
        for part, is_intact in (("body", self.is_body_intact), ("header", self.is_header_intact)):
            mine = [change for change in self.changes if (change.part == "body") is (part == "body")]
            if mine:
                then = f"without {'this' if len(mine) == 1 else 'these'} the {part} is as it was signed"
                found += [f"{change} ({then})" if len(mine) == 1 else str(change) for change in mine]
                found += [then] if len(mine) > 1 else []
            elif not is_intact and self.is_key_right is not False:
                found.append(f"none of the usual changes explains the {part}")
        return tuple(found)

    @property
    def remedy(self) -> str:
        """What would mend it."""
        remedies = [change.remedy for change in self.changes if change.remedy]
        if self.is_key_right is False:
            remedies.insert(0, KEY_REMEDY)
        return "; ".join(dict.fromkeys(remedies)) or UNKNOWN_REMEDY


def diagnose(signature: Signature, key: KeyRecord, headers: Headers, body: bytes) -> Diagnosis:
    """Find out why a signature does not hold: one of DKIM, or the message signature of an ARC set.

    The signature must have been read and its key found. `body` has CRLF line ends. Bounded in time: some 100 MB of
    body and 50 MB of header are hashed at most, and 5,000 signatures verified.
    """
    hashes = BodyHashes()
    digest = hashes.want(is_relaxed=signature.is_body_relaxed, algorithm=signature.hash_name, limit=signature.length)
    hashes.feed(body)
    hashes.finish()
    is_cut = signature.length is not None and signature.length > digest.length
    is_body_intact = digest.value == signature.body_hash and not is_cut
    changes: tuple[Change, ...] = ()
    if is_cut:
        changes = (Change("body", f"the end of the body was cut off: l= is {signature.length}", bodies.RELAY),)
    elif not is_body_intact:
        encodings = headers.all(b"content-transfer-encoding")
        found = bodies.find(body, signature, encodings[0].text if encodings else "")
        wrapped = None if found is not None else _wrapped(signature, headers, body)
        changes = (found,) if found is not None else (wrapped,) if wrapped is not None else ()
    known_hash = signed_hash(signature, key)
    data = signature.signed_data(headers)
    if _verifies(signature, key, data):
        return Diagnosis(is_body_intact, True, True, changes)
    if key.type == "rsa" and known_hash is None:
        return Diagnosis(is_body_intact, False, False, changes)
    search = _search(signature, key, headers, body, known_hash)
    return Diagnosis(is_body_intact, False, True if known_hash else None, (*changes, *search.find()))


def _search(
    signature: Signature, key: KeyRecord, headers: Headers, body: bytes, known_hash: bytes | None
) -> HeaderSearch:
    def is_signed(data: bytes) -> bool:
        if known_hash is not None:
            return hashlib.new(signature.hash_name, data).digest() == known_hash
        return _verifies(signature, key, data)

    inner = _first_part(headers, body)
    originals = {
        field.name: (field.value.strip(b" \t"), "the first part") for field in (inner[0].fields if inner else ())
    }
    originals |= {name.encode("latin-1"): (value, "z=") for name, value in copies(signature.copied)}
    return HeaderSearch(
        headers,
        signature.headers,
        unsigned(signature.field),
        is_relaxed=signature.is_header_relaxed,
        is_signed=is_signed,
        originals=originals,
        tries=TRY_LIMIT if known_hash is not None else VERIFY_LIMIT,
    )


def _verifies(signature: Signature, key: KeyRecord, data: bytes) -> bool:
    digest = b"" if key.type == "rsa" else hashlib.new(signature.hash_name, data).digest()
    return key.type == signature.key_type and key.verify(signature.data, data, digest, signature.hash_name)


def signed_hash(signature: Signature, key: KeyRecord) -> bytes | None:
    """The hash that an RSA signature is of; None if the key is not the one that made it."""
    if not isinstance(key.public_key, RSAPublicKey):
        return None
    try:
        return key.public_key.recover_data_from_signature(signature.data, PKCS1v15(), HASHES[signature.hash_name])
    except (InvalidSignature, ValueError):
        return None


def _first_part(headers: Headers, body: bytes) -> tuple[Headers, bytes] | None:
    """Header and body of the first part, if the message is a multipart: a list may have put the original there."""
    types = headers.all(b"content-type")
    if not types or not types[0].text.strip().lower().startswith("multipart/"):
        return None
    at = body.find(b"\r\n--") + 2 if not body.startswith(b"--") else 0
    boundary = body[at:].partition(b"\r\n")[0].rstrip(b" \t")
    if len(boundary) < 3:
        return None
    inside = body[at:].partition(b"\r\n")[2].partition(b"\r\n" + boundary)[0]
    return split(inside + b"\r\n")


def _wrapped(signature: Signature, headers: Headers, body: bytes) -> Change | None:
    """The message was put into a multipart, as lists do to add a footer."""
    inner = _first_part(headers, body)
    if inner is None:
        return None
    hashes = BodyHashes()
    digest = hashes.want(is_relaxed=signature.is_body_relaxed, algorithm=signature.hash_name, limit=signature.length)
    hashes.feed(inner[1])
    hashes.finish()
    if digest.value != signature.body_hash:
        return None
    text = "the body became the first part of a multipart message, as lists do to add a text"
    return Change("body", text, bodies.FOOTER)

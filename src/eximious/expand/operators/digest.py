"""Message digests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from eximious.errors import ExpandError
from eximious.expand.operator import operator


def _fingerprint(algorithm: str) -> Callable[[bytes], str]:
    """The digest of a certificate, in upper case hexadecimal digits."""
    return lambda octets: hashlib.new(algorithm, octets, usedforsecurity=False).hexdigest().upper()


@operator("md5", is_clean=True, of_certificates=_fingerprint("md5"))
def md5(text: str) -> str:
    """MD5 in lower case hexadecimal digits."""
    return hashlib.md5(text.encode("latin-1"), usedforsecurity=False).hexdigest()


@operator("sha1", is_clean=True, of_certificates=_fingerprint("sha1"))
def sha1(text: str) -> str:
    """SHA-1 in upper case hexadecimal digits."""
    return hashlib.sha1(text.encode("latin-1"), usedforsecurity=False).hexdigest().upper()


@operator("sha2", "sha256", suffix="word", is_clean=True, of_certificates=_fingerprint("sha256"))
def sha2(text: str, word: str = "256") -> str:
    """A member of the SHA-2 family: 256, 384 or 512 bits."""
    if word not in ("256", "384", "512"):
        raise ExpandError("unrecognised sha2 variant")
    return hashlib.new(f"sha{word}", text.encode("latin-1")).hexdigest().upper()


@operator("sha3", suffix="word", is_clean=True)
def sha3(text: str, word: str = "256") -> str:
    """A member of the SHA-3 family: 224, 256, 384 or 512 bits."""
    if word not in ("224", "256", "384", "512"):
        raise ExpandError("unrecognised sha3 variant")
    return hashlib.new(f"sha3_{word}", text.encode("latin-1")).hexdigest().upper()

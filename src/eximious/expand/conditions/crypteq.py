"""``crypteq``: is it the password that was hashed?"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import threading
from typing import Any, Final

from eximious.errors import ExpandError
from eximious.expand.condition import condition
from eximious.waiting import in_thread

_SCHEME = re.compile(r"\{(md5|sha1|crypt|crypt16)\}", re.IGNORECASE)
_DIGEST_SIZES: Final = {"md5": (24, 32), "sha1": (28, 40)}  # characters in base 64 and in hexadecimal digits

_lock = threading.Lock()  # crypt() keeps its result in one place


@condition("crypteq", 2)
def crypteq(password: str, hashed: str) -> bool:
    """The text, hashed as the second one is (``{md5}``, ``{sha1}``, ``{crypt}``, ``{crypt16}``), is the same."""
    scheme = "crypt"
    if hashed.startswith("{"):
        found = _SCHEME.match(hashed)
        if found is None:
            raise ExpandError(f'unknown encryption mechanism in "{hashed}"')
        scheme = found[1].lower()
        hashed = hashed[found.end() :]
    if scheme in _DIGEST_SIZES:
        return _same_digest(scheme, password, hashed)
    return in_thread(_same_crypt, password.encode("latin-1"), hashed.encode("latin-1"), scheme == "crypt16")


def _same_digest(scheme: str, password: str, hashed: str) -> bool:
    digest = hashlib.new(scheme, password.encode("latin-1"), usedforsecurity=False).digest()
    in_base64, in_hex = _DIGEST_SIZES[scheme]
    if len(hashed) == in_base64:
        return hmac.compare_digest(binascii.b2a_base64(digest, newline=False), hashed.encode("latin-1"))
    if len(hashed) == in_hex:
        return hmac.compare_digest(digest.hex().encode(), hashed.lower().encode("latin-1"))
    return False


def _same_crypt(password: bytes, hashed: bytes, twice: bool) -> bool:
    if len(hashed) < 2 or b"\0" in password:
        return False
    made = _crypt(password[:8] if twice else password, hashed)
    if made is None or made.startswith(b"*"):
        return False
    if twice and len(password) > 8:
        second = _crypt(password[8:16], hashed)
        made += b"" if second is None else second[2:]
    return hmac.compare_digest(made, hashed)


def _crypt(password: bytes, salt: bytes) -> bytes | None:
    """The C library's crypt()."""
    import ctypes

    with _lock:
        library = _library()
        result = library.crypt(ctypes.c_char_p(password), ctypes.c_char_p(salt))
        return None if not result else bytes(result)


_loaded: list[Any] = []


def _library() -> Any:
    import ctypes
    import ctypes.util

    if not _loaded:
        name = ctypes.util.find_library("crypt") or "libcrypt.so.1"
        library = ctypes.CDLL(name)
        library.crypt.restype = ctypes.c_char_p
        _loaded.append(library)
    return _loaded[0]

"""The Sender Rewriting Scheme in Exim's own form: ``SRS0=hash=day=domain=local_part@here``.

The hash is short, four hexadecimal digits of HMAC-MD5: that is what other servers of the same domain expect.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

LIFETIME: Final = 10  # days that an address is good for
DAY: Final = 86400

_DIGITS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_SRS0 = re.compile(r"SRS0=([^=]+)=([^=]*)=([^=]*)=(.*)\Z", re.IGNORECASE | re.DOTALL)


def _hash(secret: str, address: str) -> str:
    lowered = address.encode("latin-1").lower()
    return hmac.new(secret.encode("latin-1"), lowered, "md5").hexdigest()[:4]


def encode(secret: str, address: str, domain: str, now: float) -> str:
    """The address rewritten into one of `domain`; "" for the null sender."""
    if not address:
        return ""
    local_part, at, old_domain = address.rpartition("@")
    if not at:
        local_part, old_domain = old_domain, ""
    is_quoted = len(local_part) > 1 and local_part[0] == local_part[-1] == '"'
    if is_quoted:
        local_part = local_part[1:-1]
    day = int(now) // DAY & 0x3FF
    digest = _hash(secret, address)
    new = f"SRS0={digest}={_DIGITS[day >> 5]}{_DIGITS[day & 31]}={old_domain}={local_part}"
    return f'"{new}"@{domain}' if is_quoted else f"{new}@{domain}"


def decode(local_part: str, secret: str, now: float) -> str | None:
    """The address that was rewritten; None if the local part is not one of ours, or too old.

    Without a secret any hash will do, but it must still look right.
    """
    found = _SRS0.match(local_part)
    if found is None:
        return None
    digest, day, domain, original = found.groups()
    if not _is_current(day, now):
        return None
    needs_quotes = any(character in '"() <>@,;:\\[]' for character in original)
    address = f'"{original}"@{domain}' if needs_quotes else f"{original}@{domain}"
    if secret and not hmac.compare_digest(_hash(secret, address), digest):
        return None
    return address


def _is_current(day: str, now: float) -> bool:
    """True for two digits of base 32 that stand for one of the last days. Days are counted modulo 1024."""
    if len(day) != 2 or day[0] not in _DIGITS or day[1] not in _DIGITS:
        return False
    written = _DIGITS.index(day[0]) * 32 + _DIGITS.index(day[1])
    return (int(now) // DAY - written) % 1024 <= LIFETIME

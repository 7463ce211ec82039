"""The scheme that Exim has built in: four hexadecimal digits of HMAC-MD5 over the sender, good for ten days.

Sixteen bits keep a casual forger out and no more; `eximious.mailauth.srs.Scheme` has longer hashes.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

from eximious.mailauth.srs.octets import octets
from eximious.mailauth.srs.stamp import CYCLE, DIGITS, age, stamp

MAX_AGE: Final = 10  # days
HASH_LENGTH: Final = 4  # hexadecimal digits
_NATIVE: Final = re.compile(r"SRS0=([^=]+)=([A-Z2-7]{2})=([^=]*)=(.*)", re.IGNORECASE | re.DOTALL)
_DOT_ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\xff-]*")
assert len(DIGITS) ** 2 == CYCLE


def encode(secret: str, sender: str, domain: str, now: float) -> str:
    """The sender rewritten into `domain`; an empty sender stays empty. A quoted local part leads to a quoted one."""
    if not sender:
        return ""
    local_part, _, host = sender.rpartition("@") if "@" in sender else (sender, "", "")
    quote = ""
    if len(local_part) >= 2 and local_part[0] == local_part[-1] == '"':
        quote, local_part = '"', local_part[1:-1]
    return f"{quote}SRS0={_hash(secret, sender)}={stamp(now).lower()}={host}={local_part}{quote}@{domain}"


def decode(secret: str, local_part: str, now: float) -> str | None:
    """The sender that a local part was made from; None if there is none, it is not authentic, or too old.

    With an empty secret only the form counts. The octets are those of the unquoted local part.
    """
    match = _NATIVE.fullmatch(local_part)
    if match is None:
        return None
    given, day, host, local = match.groups()
    sender = f"{local}@{host}" if _DOT_ATOM.fullmatch(local) else f'"{local}"@{host}'
    if not secret:
        return sender
    days = age(day, now)
    if days is None or days > MAX_AGE:
        return None
    # A quoted local part may have come here with or without need of the quotes.
    for candidate in (sender, f'"{local}"@{host}'):
        if hmac.compare_digest(_hash(secret, candidate).encode(), octets(given)):
            return candidate
    return None


def _hash(secret: str, sender: str) -> str:
    return hmac.digest(octets(secret), octets(sender.lower()), "md5").hex()[:HASH_LENGTH]

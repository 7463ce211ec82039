"""Rewriting and its reverse, as libsrs2, Mail::SRS and postsrsd do it."""

from __future__ import annotations

import base64
import hmac
import re
import time
from collections.abc import Callable, Sequence
from typing import Final

from eximious.mailauth.srs.octets import octets
from eximious.mailauth.srs.stamp import age, stamp

SEPARATORS: Final = "=+-"
LOCAL_PART_LIMIT: Final = 512  # octets of an address that are looked at at all
RFC_LIMIT: Final = 64  # octets of a local part that everybody must take (RFC 5321 §4.5.3.1.1)
_REWRITTEN: Final = re.compile(r"SRS([01])[=+-]", re.IGNORECASE)
_KEY: Final = re.compile(r"[A-Za-z0-9]{1,64}")  # of a sender that is kept in a database


class SrsError(ValueError):
    """An address cannot be rewritten, or not be turned back."""


class NotRewritten(SrsError):
    """The address is not one that SRS made."""


class BadHash(SrsError):
    """The hash does not fit: somebody made the address up, or the secret is another."""


class Expired(SrsError):
    """The address is older than addresses may become."""


class TooLong(SrsError):
    """The rewritten address would have a longer local part than it may have."""


class Scheme:
    """One domain's way of rewriting. `secrets` is the one to sign with, then others that are still accepted.

    `hash_length` is how many base64 characters are written, `hash_min` how many must be there at least (as many as
    are written, if None); `max_age` is in days; `max_local_part` is in octets, None for no limit. `clock` gives UNIX
    time. Raises ValueError for what cannot be.
    """

    __slots__ = (
        "_clock",
        "_hash_length",
        "_hash_min",
        "_max_age",
        "_max_local_part",
        "_secrets",
        "_separator",
        "_use_timestamp",
        "always",
        "uses_hash",
    )

    def __init__(
        self,
        secrets: Sequence[str | bytes],
        *,
        hash_length: int = 4,
        hash_min: int | None = None,
        max_age: int = 21,
        separator: str = "=",
        use_hash: bool = True,
        use_timestamp: bool = True,
        always: bool = False,
        max_local_part: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not secrets or not all(secrets):
            raise ValueError("SRS needs a secret")
        if not 1 <= hash_length <= 20:
            raise ValueError("an SRS hash has 1 to 20 characters")
        if separator not in SEPARATORS or len(separator) != 1:
            raise ValueError(f"an SRS separator is one of {' '.join(SEPARATORS)}")
        if not 0 <= max_age < 1024:
            raise ValueError("SRS addresses live for 0 to 1023 days")
        self._secrets = [secret if isinstance(secret, bytes) else octets(secret) for secret in secrets]
        self._hash_length = hash_length
        self._hash_min = hash_length if hash_min is None or hash_min < 1 else min(hash_min, hash_length)
        self._max_age = max_age
        self._max_local_part = max_local_part
        self._separator = separator
        self.uses_hash = use_hash
        self._use_timestamp = use_timestamp
        self._clock = clock
        self.always = always  # rewrite addresses of the forwarding domain itself too

    def forward(self, sender: str, domain: str, store: Callable[[str], str] | None = None) -> str:
        """The sender to forward with, in `domain`. The null sender stays what it is.

        An address that another forwarder made becomes SRS1 and does not grow at later hops. If `store` is given,
        other senders are given to it, and the address has the key that it returns, of letters and digits.
        Raises SrsError if the sender has no domain, TooLong; and whatever `store` raises.
        """
        if not sender:
            return sender
        local_part, at, host = sender.rpartition("@")
        if not at or not local_part or not host:
            raise SrsError(f'"{sender}" has no domain')
        if host.lower() == domain.lower() and not self.always:
            return sender
        rewritten = self._again(local_part, host) or self._first(local_part, host, store)
        if self._max_local_part is not None and len(rewritten) > self._max_local_part:
            raise TooLong(f'"{sender}" would have a local part of {len(rewritten)} octets')
        return f"{rewritten}@{domain}"

    def _first(self, local_part: str, host: str, store: Callable[[str], str] | None) -> str:
        """An address that nobody has rewritten yet."""
        fields = [stamp(self._clock())] if self._use_timestamp else []
        fields += [host, local_part] if store is None else [store(f"{local_part}@{host}")]
        if self.uses_hash:
            fields.insert(0, self._hash(self._secrets[0], fields))
        return f"SRS0{self._separator}{'='.join(fields)}"

    def _again(self, local_part: str, host: str) -> str | None:
        """An address that forwarders have rewritten; None if this is none."""
        match = _REWRITTEN.match(local_part)
        if match is None:
            return None
        if match[1] == "0":
            return self._shortcut(host, local_part[4:])
        parts = local_part[5:].split("=", 2)
        if len(parts) == 3 and parts[1] and parts[2][:1] in tuple(SEPARATORS):
            return self._shortcut(parts[1], parts[2])
        return None  # it only begins as such do

    def _shortcut(self, first: str, rest: str) -> str:
        """SRS1: only the first forwarder is remembered; `rest` begins with the separator that it used."""
        fields = [first, rest]
        if self.uses_hash:
            fields.insert(0, self._hash(self._secrets[0], fields))
        return f"SRS1{self._separator}{'='.join(fields)}"

    def reverse(self, address: str, fetch: Callable[[str], str] | None = None) -> str:
        """What the address was made of: the original sender or, for SRS1, the address at the first forwarder.

        `fetch` is given the key of a sender that `store` was given, in lower case, once its hash is known to be right.
        Raises NotRewritten, BadHash or Expired; and whatever `fetch` raises.
        """
        local_part = address.rpartition("@")[0] or address
        match = _REWRITTEN.match(local_part[:LOCAL_PART_LIMIT])
        if match is None or len(local_part) > LOCAL_PART_LIMIT:
            raise NotRewritten(f'"{address}" is not an SRS address')
        rest = local_part[5:]
        return self._first_hop(address, rest, fetch) if match[1] == "0" else self._later_hop(address, rest)

    def _first_hop(self, address: str, rest: str, fetch: Callable[[str], str] | None) -> str:
        count = 2 + self.uses_hash + self._use_timestamp
        fields = rest.split("=", count - 1)
        has_key = fetch is not None and len(fields) == count - 1 and _KEY.fullmatch(fields[-1]) is not None
        if not has_key and (len(fields) < count or not fields[-1] or not fields[-2]):
            raise NotRewritten(f'"{address}" has too few fields for SRS')
        if self.uses_hash:
            self._check(address, fields.pop(0), fields)
        if self._use_timestamp:
            self._check_age(address, fields[0])
        if fetch is not None and has_key:
            return fetch(fields[-1].lower())
        return f"{fields[-1]}@{fields[-2]}"

    def _check_age(self, address: str, text: str) -> None:
        days = age(text, self._clock())
        if days is None:
            raise NotRewritten(f'"{address}" has no timestamp')
        if days > self._max_age:
            raise Expired(f'"{address}" is {days} days old')

    def _later_hop(self, address: str, rest: str) -> str:
        count = 2 + self.uses_hash
        fields = rest.split("=", count - 1)
        if len(fields) < count or not fields[-2] or fields[-1][:1] not in tuple(SEPARATORS):
            raise NotRewritten(f'"{address}" has too few fields for SRS')
        if self.uses_hash:
            self._check(address, fields.pop(0), fields)
        return f"SRS0{fields[1]}@{fields[0]}"

    def _check(self, address: str, given: str, fields: list[str]) -> None:
        """Some mail servers change the case of local parts, so that cannot count."""
        if len(given) < self._hash_min:
            raise BadHash(f'"{address}" has too short a hash')
        lowered = octets(given).lower()
        for secret in self._secrets:
            expected = self._hash(secret, fields, len(given)).lower().encode("ascii")
            if hmac.compare_digest(expected, lowered):
                return
        raise BadHash(f'"{address}" has a hash that does not fit')

    def _hash(self, secret: bytes, fields: list[str], length: int | None = None) -> str:
        digest = base64.b64encode(hmac.digest(secret, octets("".join(fields)).lower(), "sha1")).decode("ascii")
        return digest[: length or self._hash_length]

"""Rewriting and its reverse, as libsrs2, Mail::SRS and postsrsd do it."""

from __future__ import annotations

import base64
import hmac
import re
import time
from collections.abc import Callable, Sequence
from typing import Final

from eximious.mailauth.srs.stamp import age, stamp

SEPARATORS: Final = "=+-"
LOCAL_PART_LIMIT: Final = 512  # octets of an address that are looked at at all


class SrsError(ValueError):
    """An address cannot be rewritten, or not be turned back."""


class NotRewritten(SrsError):
    """The address is not one that SRS made."""


class BadHash(SrsError):
    """The hash does not fit: somebody made the address up, or the secret is another."""


class Expired(SrsError):
    """The address is older than addresses may become."""


class Scheme:
    """One domain's way of rewriting. `secrets` is the one to sign with, then others that are still accepted.

    `hash_length` is how many base64 characters are written, `hash_min` how many must be there at least (as many as
    are written, if None); `max_age` is in days. `clock` gives UNIX time. Raises ValueError for what cannot be.
    """

    __slots__ = (
        "_clock",
        "_hash_length",
        "_hash_min",
        "_max_age",
        "_secrets",
        "_separator",
        "_use_hash",
        "_use_timestamp",
        "always",
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
        self._secrets = [secret if isinstance(secret, bytes) else secret.encode("latin-1") for secret in secrets]
        self._hash_length = hash_length
        self._hash_min = hash_length if hash_min is None or hash_min < 1 else min(hash_min, hash_length)
        self._max_age = max_age
        self._separator = separator
        self._use_hash = use_hash
        self._use_timestamp = use_timestamp
        self._clock = clock
        self.always = always  # rewrite addresses of the forwarding domain itself too

    def forward(self, sender: str, domain: str) -> str:
        """The sender to forward with, in `domain`. The null sender stays what it is.

        An address that another forwarder made becomes SRS1 and does not grow at later hops.
        Raises SrsError if the sender has no domain.
        """
        if not sender:
            return sender
        local_part, at, host = sender.rpartition("@")
        if not at or not local_part or not host:
            raise SrsError(f'"{sender}" has no domain')
        if host.lower() == domain.lower() and not self.always:
            return sender
        return f"{self._rewritten(local_part, host)}@{domain}"

    def _rewritten(self, local_part: str, host: str) -> str:
        tag = local_part[:5].upper()
        if tag[:4] == "SRS0" and tag[4:] in SEPARATORS and len(tag) == 5:
            return self._shortcut(host, local_part[4:])
        if tag[:4] == "SRS1" and tag[4:] in SEPARATORS and len(tag) == 5:
            parts = local_part[5:].split("=", 2)
            if len(parts) == 3 and parts[1] and parts[2]:
                return self._shortcut(parts[1], parts[2])
        fields = [stamp(self._clock())] if self._use_timestamp else []
        fields += [host, local_part]
        if self._use_hash:
            fields.insert(0, self._hash(self._secrets[0], fields))
        return f"SRS0{self._separator}{'='.join(fields)}"

    def _shortcut(self, first: str, rest: str) -> str:
        """SRS1: only the first forwarder is remembered; `rest` begins with the separator that it used."""
        fields = [first, rest]
        if self._use_hash:
            fields.insert(0, self._hash(self._secrets[0], fields))
        return f"SRS1{self._separator}{'='.join(fields)}"

    def reverse(self, address: str) -> str:
        """What the address was made of: the original sender or, for SRS1, the address at the first forwarder.

        Raises NotRewritten, BadHash or Expired.
        """
        local_part = address.rpartition("@")[0] or address
        match = _REWRITTEN.match(local_part[:LOCAL_PART_LIMIT])
        if match is None or len(local_part) > LOCAL_PART_LIMIT:
            raise NotRewritten(f'"{address}" is not an SRS address')
        rest = local_part[5:]
        return self._first_hop(address, rest) if match[1] == "0" else self._later_hop(address, rest)

    def _first_hop(self, address: str, rest: str) -> str:
        count = 2 + self._use_hash + self._use_timestamp
        fields = rest.split("=", count - 1)
        if len(fields) < count or not fields[-1] or not fields[-2]:
            raise NotRewritten(f'"{address}" has too few fields for SRS')
        if self._use_hash:
            self._check(address, fields.pop(0), fields)
        if self._use_timestamp:
            days = age(fields[0], self._clock())
            if days is None:
                raise NotRewritten(f'"{address}" has no timestamp')
            if days > self._max_age:
                raise Expired(f'"{address}" is {days} days old')
        return f"{fields[-1]}@{fields[-2]}"

    def _later_hop(self, address: str, rest: str) -> str:
        count = 2 + self._use_hash
        fields = rest.split("=", count - 1)
        if len(fields) < count or not fields[-2] or fields[-1][:1] not in tuple(SEPARATORS):
            raise NotRewritten(f'"{address}" has too few fields for SRS')
        if self._use_hash:
            self._check(address, fields.pop(0), fields)
        return f"SRS0{fields[1]}@{fields[0]}"

    def _check(self, address: str, given: str, fields: list[str]) -> None:
        """Some mail servers change the case of local parts, so that cannot count."""
        if len(given) < self._hash_min:
            raise BadHash(f'"{address}" has too short a hash')
        lowered = given.lower().encode("latin-1", "replace")
        for secret in self._secrets:
            expected = self._hash(secret, fields, len(given)).lower().encode("ascii")
            if hmac.compare_digest(expected, lowered):
                return
        raise BadHash(f'"{address}" has a hash that does not fit')

    def _hash(self, secret: bytes, fields: list[str], length: int | None = None) -> str:
        data = "".join(fields).lower().encode("latin-1", "replace")
        digest = base64.b64encode(hmac.digest(secret, data, "sha1")).decode("ascii")
        return digest[: length or self._hash_length]


_REWRITTEN: Final = re.compile(r"SRS([01])[=+-]", re.IGNORECASE)

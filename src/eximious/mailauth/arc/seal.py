"""Continuing a chain (RFC 8617 section 5.1)."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eximious.mailauth import message as messages
from eximious.mailauth.arc.chain import (
    INSTANCE_LIMIT,
    MESSAGE,
    RESULTS,
    SEAL,
    Chain,
    ChainFault,
    ChainResult,
    highest_instance,
    seal_status,
    sets,
)
from eximious.mailauth.arc.layout import alphabetical, as_exim, divided
from eximious.mailauth.authres import AuthenticationResults, AuthresError, parse
from eximious.mailauth.canonical import BodyHashes
from eximious.mailauth.dkim.key import PrivateKey
from eximious.mailauth.dkim.sign import Signer, signature_text
from eximious.mailauth.message import Field, Headers

# As for DKIM, and its signatures; not what hosts on the way are expected to add or change (RFC 8617 section 4.1.2).
DEFAULT_HEADERS: Final = (
    "From", "Sender", "Reply-To", "Subject", "Date", "Message-ID", "To", "Cc", "MIME-Version", "Content-Type",
    "Content-Transfer-Encoding", "Content-ID", "Content-Description", "Resent-Date", "Resent-From", "Resent-Sender",
    "Resent-To", "Resent-Cc", "Resent-Message-ID", "In-Reply-To", "References", "List-Id", "List-Help",
    "List-Unsubscribe", "List-Subscribe", "List-Post", "List-Owner", "List-Archive", "DKIM-Signature",
)  # fmt: skip
_SPELLINGS: Final = {name.lower().encode("ascii"): name for name in DEFAULT_HEADERS}

_FORBIDDEN: Final = frozenset({"arc-seal", "authentication-results"})
# By whether header and body are relaxed; the body is simple if nothing is said about it.
_CANONICALIZATIONS: Final = {
    (False, False): "simple/simple",
    (False, True): "simple/relaxed",
    (True, False): "relaxed",
    (True, True): "relaxed/relaxed",
}
NO_RESULTS: Final = "there are no Authentication-Results of our own"
RESULTS_LIMIT: Final = 100  # Authentication-Results fields that are looked at


@dataclass(frozen=True, slots=True)
class Sealer:
    """How to seal. `authserv_id` is whose Authentication-Results are taken; the domain's, if empty.

    `headers` are the names of what is signed if it is there; None for all of DEFAULT_HEADERS, from the last one up.
    `expire_after` is in seconds and goes on the message signature. `is_alphabetical` is about the order of the tags.
    """

    domain: str
    selector: str
    key: PrivateKey
    authserv_id: str = ""
    headers: Sequence[str] | None = None
    hash_name: str = "sha256"
    is_header_relaxed: bool = True
    is_body_relaxed: bool = True
    with_time: bool = True
    expire_after: int | None = None
    is_alphabetical: bool = False
    takes_block_only: bool = False  # the first of our Authentication-Results, and those next to it
    client_ip: str = ""  # of the client that the message came from, to be told to later hosts


class Sealing:
    """The making of one set: given the header, fed the body, then asked for the fields.

    `chain` is what validation found; without it the ``arc=`` of the sealer's own Authentication-Results counts.
    """

    __slots__ = ("_body", "_chain", "_digest", "_headers", "_sealer", "why_not")

    def __init__(self, headers: Headers, sealer: Sealer, chain: Chain | None = None) -> None:
        self._headers = headers
        self._sealer = sealer
        self._chain = chain
        self._body = BodyHashes()
        self._digest = self._body.want(is_relaxed=sealer.is_body_relaxed, algorithm=sealer.hash_name)
        self.why_not = ""  # no set is added, if it is not empty

    def feed(self, chunk: bytes) -> None:
        """The next part of the body, its line ends CRLF; it may end anywhere."""
        self._body.feed(chunk)

    def fields(self, now: float | None = None) -> list[bytes]:
        """The body is complete: the three fields, with CRLF, to go on top; or none, see `why_not`."""
        self._body.finish()
        sealer, headers = self._sealer, self._headers
        payload, stated = own_results(headers, sealer.authserv_id or sealer.domain, block_only=sealer.takes_block_only)
        if not payload:
            self.why_not = NO_RESULTS
            return []
        last = highest_instance(headers)
        if last >= INSTANCE_LIMIT:
            self.why_not = f"the chain has {last} sets already"
            return []
        if last and seal_status(headers, last) == "fail":
            self.why_not = "the chain is marked as failed already"
            return []
        status = self._status(stated, last)
        return self._made(last + 1, status, payload, int(time.time() if now is None else now))

    def _status(self, stated: str, last: int) -> str:
        if not last:
            return "none"
        if self._chain is not None:
            return "pass" if self._chain.result is ChainResult.PASS else "fail"
        return "pass" if stated == "pass" else "fail"

    def _made(self, instance: int, status: str, payload: bytes, now: int) -> list[bytes]:
        sealer, headers = self._sealer, self._headers
        signer = Signer(
            sealer.domain,
            sealer.selector,
            sealer.key,
            hash_name=sealer.hash_name,
            is_header_relaxed=sealer.is_header_relaxed,
            is_body_relaxed=sealer.is_body_relaxed,
        )
        if sealer.client_ip:
            who, _, rest = payload.partition(b";")
            payload = b"%b; smtp.remote-ip=%b;%b" % (who, sealer.client_ip.encode("ascii", "replace"), rest)
        results = Field(b"ARC-Authentication-Results: i=%d; %b\r\n" % (instance, payload))
        names = _names(headers, sealer)
        times = {"t": str(now)} if sealer.with_time else {}
        tags = {"a": signer.algorithm, "d": sealer.domain, "s": sealer.selector, "i": str(instance), **times}
        message_tags = tags | {
            "c": _CANONICALIZATIONS[sealer.is_header_relaxed, sealer.is_body_relaxed],
            "h": ":".join(names),
            "bh": base64.b64encode(self._digest.value).decode("ascii"),
        }
        if sealer.expire_after is not None:
            message_tags["x"] = str(now + sealer.expire_after)
        chosen = headers.chosen(name.lower().encode("latin-1") for name in names)
        data = b"".join(field.canonical(sealer.is_header_relaxed) for field in chosen)
        message = _signed("ARC-Message-Signature", message_tags, data, signer, sealer)
        data = b"" if status == "fail" else _earlier(headers)
        data += results.relaxed + message.relaxed
        seal_field = _signed("ARC-Seal", tags | {"cv": status}, data, signer, sealer)
        return [seal_field.raw, results.raw, message.raw]


def _names(headers: Headers, sealer: Sealer) -> list[str]:
    """What h= of the message signature names."""
    if sealer.headers is None:
        return [_SPELLINGS[field.name] for field in reversed(headers.fields) if field.name in _SPELLINGS]
    names: list[str] = []
    for name in map(str.lower, sealer.headers):
        there = len(headers.all(name.encode("latin-1", "replace")))
        if name not in _FORBIDDEN and names.count(name) < there:
            names.append(name)
    return names


def _signed(name: str, tags: dict[str, str], data: bytes, signer: Signer, sealer: Sealer) -> Field:
    """A field; its b= is of the data and the field without it."""
    head, tail = (alphabetical if sealer.is_alphabetical else as_exim)(name, tags)
    bare = Field(f"{head}{tail}".encode("latin-1"))
    # Seals are always in relaxed form.
    is_relaxed = sealer.is_header_relaxed or "cv" in tags
    signature = signature_text(signer, data + bare.canonical(is_relaxed)[:-2])
    if not sealer.is_alphabetical:
        signature = divided(signature)
    return Field(f"{head}{signature}{tail}".encode("latin-1"))


def _earlier(headers: Headers) -> bytes:
    """The sets that are there, as a seal signs them."""
    try:
        chain = sets(headers)
    except ChainFault:
        return b""
    parts = []
    for one in chain:
        results, message, seal_ = one.complete()
        parts += [results.relaxed, message.field.relaxed, seal_.field.relaxed]
    return b"".join(parts)


_AUTHSERV_ID: Final = re.compile(rb"(?:[^;\"(]|\"(?:[^\"\\]|\\.)*\"|\((?:[^()\\]|\\.)*\))*;", re.DOTALL)


def own_results(headers: Headers, authserv_id: str, *, block_only: bool = False) -> tuple[bytes, str]:
    """All that our Authentication-Results fields say, merged (section 4.1.1), and their ``arc=`` result.

    Fields of others, and those that cannot be read, are left out. `block_only` leaves out as well what does not stand
    next to the first one of ours: it may be of an earlier visit of the message, or made up. Empty if there is nothing.
    """
    parts: list[bytes] = []
    stated = ""
    looked_at = 0
    for field in headers.fields:
        own = None
        if field.name == b"authentication-results" and looked_at < RESULTS_LIMIT:
            looked_at += 1
            own = _own(field, authserv_id)
        if own is None:
            if parts and block_only:
                break
            continue
        found, text = own
        arc = found.result("arc")
        if arc is not None and not stated:
            stated = arc.result
        parts.append(text)
    wanted = [part for part in parts if part and part.lower() != b"none"] or [part for part in parts if part]
    if not wanted:
        return b"", stated
    return b";\r\n\t".join([authserv_id.encode("latin-1", "replace"), *wanted]), stated


def _own(field: Field, authserv_id: str) -> tuple[AuthenticationResults, bytes] | None:
    """What a field of ours says, read and as it is; None if it is no such field."""
    try:
        found = parse(field.text)
    except AuthresError:
        return None
    match = _AUTHSERV_ID.match(field.value)
    if match is None or found.authserv_id.lower() != authserv_id.lower():
        return None
    return found, field.value[match.end() :].strip(b" \t\r\n").rstrip(b"; \t\r\n")


def seal(message: bytes, sealer: Sealer, *, chain: Chain | None = None, now: float | None = None) -> bytes:
    """A message in one piece with one more set on top, if there can be one; its line ends become CRLF."""
    headers, body = messages.split(message)
    sealing = Sealing(headers, sealer, chain)
    sealing.feed(body)
    fields = sealing.fields(now)
    return b"".join(fields) + b"".join(field.raw for field in headers.fields) + b"\r\n" + body


__all__ = ["DEFAULT_HEADERS", "MESSAGE", "RESULTS", "SEAL", "Sealer", "Sealing", "seal"]

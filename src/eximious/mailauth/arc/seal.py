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
from eximious.mailauth.authres import AuthresError, parse
from eximious.mailauth.canonical import BodyHashes
from eximious.mailauth.dkim.key import PrivateKey
from eximious.mailauth.dkim.sign import Signer, signature_text, signed_names
from eximious.mailauth.message import Field, Headers

# As for DKIM, but nothing that hosts on the way are expected to add or change (RFC 8617 section 4.1.2).
DEFAULT_HEADERS: Final = (
    "=from", "=sender", "=reply-to", "=subject", "=date", "=message-id", "=to", "=cc", "=mime-version",
    "=content-type", "=content-transfer-encoding", "=content-id", "=content-description", "=resent-date",
    "=resent-from", "=resent-sender", "=resent-to", "=resent-cc", "=resent-message-id", "=in-reply-to", "=references",
    "=list-id", "=list-help", "=list-unsubscribe", "=list-subscribe", "=list-post", "=list-owner", "=list-archive",
    "=dkim-signature",
)  # fmt: skip

_FORBIDDEN: Final = frozenset({"arc-seal", "authentication-results"})
RESULTS_LIMIT: Final = 100  # Authentication-Results fields that are looked at
_LINE: Final = 72  # octets of a line of a long value


@dataclass(frozen=True, slots=True)
class Sealer:
    """How to seal. `authserv_id` is whose Authentication-Results are taken; the domain's, if empty.

    `headers` is as for DKIM; `expire_after` is in seconds and goes on the message signature. `is_folded` breaks the
    signatures into lines.
    """

    domain: str
    selector: str
    key: PrivateKey
    authserv_id: str = ""
    headers: Sequence[str] = DEFAULT_HEADERS
    hash_name: str = "sha256"
    is_header_relaxed: bool = True
    is_body_relaxed: bool = True
    with_time: bool = True
    expire_after: int | None = None
    is_folded: bool = True
    takes_first_only: bool = False  # of our Authentication-Results; RFC 8617 wants all
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
        limit = 1 if sealer.takes_first_only else RESULTS_LIMIT
        payload, stated = own_results(headers, sealer.authserv_id or sealer.domain, limit)
        if not payload:
            self.why_not = "there are no Authentication-Results of our own"
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
        names = [name.lower() for name in signed_names(headers, sealer.headers) if name.lower() not in _FORBIDDEN]
        times = {"t": str(now)} if sealer.with_time else {}
        tags = {"a": signer.algorithm, "d": sealer.domain, "s": sealer.selector, "i": str(instance), **times}
        words = ("simple", "relaxed")
        message_tags = tags | {
            "c": f"{words[sealer.is_header_relaxed]}/{words[sealer.is_body_relaxed]}",
            "h": ":".join(names),
            "bh": base64.b64encode(self._digest.value).decode("ascii"),
        }
        if sealer.expire_after is not None:
            message_tags["x"] = str(now + sealer.expire_after)
        chosen = headers.chosen(name.encode("latin-1") for name in names)
        data = b"".join(field.canonical(sealer.is_header_relaxed) for field in chosen)
        message = _signed(b"ARC-Message-Signature", message_tags, data, signer, sealer)
        data = b"" if status == "fail" else _earlier(headers)
        data += results.relaxed + message.relaxed
        seal_field = _signed(b"ARC-Seal", tags | {"cv": status}, data, signer, sealer)
        return [seal_field.raw, message.raw, results.raw]


def _signed(name: bytes, tags: dict[str, str], data: bytes, signer: Signer, sealer: Sealer) -> Field:
    """A field with its tags in alphabetical order, each in a line; b= is of the data and the field without it.

    Lines begin with a space: dkimpy looks for one before ``i=``.
    """
    before = [f"{tag}={tags[tag]};" for tag in sorted(tags) if tag < "b"]
    after = [_folded(f"{tag}={tags[tag]}") for tag in sorted(tags) if tag > "b"]
    head = name + b": " + " ".join(before).encode("latin-1") + b"\r\n b="
    tail = ";\r\n ".join(["", *after]).encode("latin-1") + b"\r\n"
    bare = Field(head + tail)
    # Seals are always in relaxed form.
    is_relaxed = sealer.is_header_relaxed or "cv" in tags
    signature = signature_text(signer, data + bare.canonical(is_relaxed)[:-2]).encode("ascii")
    step = _LINE if sealer.is_folded else len(signature)
    lines = [signature[at : at + step] for at in range(0, len(signature), step)]
    return Field(head + b"\r\n  ".join(lines) + tail)


def _folded(text: str) -> str:
    """A list of names in lines of bearable length, divided after colons."""
    lines = [""]
    for part in re.split(r"(?<=:)", text):
        if lines[-1] and len(lines[-1]) + len(part) > _LINE:
            lines.append("")
        lines[-1] += part
    return "\r\n  ".join(lines)


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


def own_results(headers: Headers, authserv_id: str, limit: int = RESULTS_LIMIT) -> tuple[bytes, str]:
    """All that our Authentication-Results fields say, merged (section 4.1.1), and their ``arc=`` result.

    Fields of others, and those that cannot be read, are left out. Empty if there is nothing.
    """
    parts: list[bytes] = []
    stated = ""
    for field in headers.all(b"authentication-results")[:RESULTS_LIMIT]:
        if len(parts) >= limit:
            break
        try:
            found = parse(field.text)
        except AuthresError:
            continue
        match = _AUTHSERV_ID.match(field.value)
        if match is None or found.authserv_id.lower() != authserv_id.lower():
            continue
        arc = found.result("arc")
        if arc is not None and not stated:
            stated = arc.result
        parts.append(field.value[match.end() :].strip(b" \t\r\n").rstrip(b"; \t\r\n"))
    wanted = [part for part in parts if part and part.lower() != b"none"] or [part for part in parts if part]
    if not wanted:
        return b"", stated
    return b";\r\n\t".join([authserv_id.encode("latin-1", "replace"), *wanted]), stated


def seal(message: bytes, sealer: Sealer, *, chain: Chain | None = None, now: float | None = None) -> bytes:
    """A message in one piece with one more set on top, if there can be one; its line ends become CRLF."""
    headers, body = messages.split(message)
    sealing = Sealing(headers, sealer, chain)
    sealing.feed(body)
    fields = sealing.fields(now)
    return b"".join(fields) + b"".join(field.raw for field in headers.fields) + b"\r\n" + body


__all__ = ["DEFAULT_HEADERS", "MESSAGE", "RESULTS", "SEAL", "Sealer", "Sealing", "seal"]

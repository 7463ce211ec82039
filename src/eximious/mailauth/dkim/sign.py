"""Making signatures (RFC 6376 section 5)."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eximious.mailauth import message as messages
from eximious.mailauth.canonical import BodyHashes, Digest
from eximious.mailauth.dkim.key import PrivateKey
from eximious.mailauth.dkim.signature import is_under
from eximious.mailauth.message import Field, Headers

LINE_LENGTH: Final = 76  # octets of a line of the field, where it can be folded

# RFC 6376 section 5.4.1. "+" signs a field once more than it is there, so that none can be added.
DEFAULT_HEADERS: Final = (
    "+from", "+sender", "+reply-to", "+subject", "+date", "+message-id", "+to", "+cc", "+mime-version",
    "+content-type", "+content-transfer-encoding", "+content-id", "+content-description", "resent-date", "resent-from",
    "resent-sender", "resent-to", "resent-cc", "resent-message-id", "+in-reply-to", "+references", "+list-id",
    "+list-help", "+list-unsubscribe", "+list-unsubscribe-post", "+list-subscribe", "+list-post", "+list-owner",
    "+list-archive",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signer:
    """How to sign for one domain. `now` and `expire_after` are in seconds; no t= if `now` is False.

    `headers` are names; ``+name`` signs one more than there are (oversigning), ``=name`` all that there are, and a bare
    name as many as it is in the list, if they are there.
    """

    domain: str
    selector: str
    key: PrivateKey
    headers: Sequence[str] = DEFAULT_HEADERS
    hash_name: str = "sha256"
    is_header_relaxed: bool = True
    is_body_relaxed: bool = True
    identity: str = ""
    with_time: bool = True
    expire_after: int | None = None
    length: int | None = None

    def __post_init__(self) -> None:
        if self.identity and not is_under(self.identity.rpartition("@")[2], self.domain):
            raise ValueError("the identity is not in the signing domain")
        if self.hash_name not in ("sha256", "sha512") and not (self.hash_name == "sha1" and self.key.type == "rsa"):
            raise ValueError(f'the hash "{self.hash_name}" cannot be used')

    @property
    def algorithm(self) -> str:
        """As in a=."""
        return f"{self.key.type}-{self.hash_name}"

    def names(self, headers: Headers) -> list[str]:
        """The names for h=."""
        return signed_names(headers, self.headers)


def signed_names(headers: Headers, wanted: Sequence[str]) -> list[str]:
    """What a list of names with marks comes to for one message; ``from`` is always in it."""
    names: list[str] = []
    taken: dict[str, int] = {}
    for entry in wanted:
        mark, name = (entry[0], entry[1:]) if entry[:1] in "+=" else ("", entry)
        name = name.strip().lower()
        there = len(headers.all(name.encode("latin-1", "replace"))) - taken.get(name, 0)
        if mark == "+":
            count = there + 1
        elif mark == "=":
            count = there
        else:
            count = min(there, 1)
        if count > 0:
            taken[name] = taken.get(name, 0) + count
            names += [name] * count
    if "from" not in taken:
        names.insert(0, "from")
    return names


class Signing:
    """The making of signatures for one message: fed its body, then asked for the fields."""

    __slots__ = ("_body", "_digests", "_signers")

    def __init__(self, signers: Sequence[Signer]) -> None:
        self._signers = list(signers)
        self._body = BodyHashes()
        self._digests = [
            self._body.want(is_relaxed=signer.is_body_relaxed, algorithm=signer.hash_name, limit=signer.length)
            for signer in self._signers
        ]

    def feed(self, chunk: bytes) -> None:
        """The next part of the body, its line ends CRLF; it may end anywhere."""
        self._body.feed(chunk)

    def fields(self, headers: Headers, now: float | None = None) -> list[bytes]:
        """The body is complete: a DKIM-Signature field for each signer, with CRLF. `now` is the UNIX time."""
        self._body.finish()
        instant = int(time.time() if now is None else now)
        return [
            _field(signer, digest, headers, instant)
            for signer, digest in zip(self._signers, self._digests, strict=True)
        ]


def _field(signer: Signer, digest: Digest, headers: Headers, now: int) -> bytes:
    names = signer.names(headers)
    tags = [("v", "1"), ("a", signer.algorithm), ("c", _canonicalization(signer))]
    tags += [("d", signer.domain), ("s", signer.selector)]
    if signer.identity:
        tags.append(("i", signer.identity))
    if signer.with_time:
        tags.append(("t", str(now)))
    if signer.expire_after is not None:
        tags.append(("x", str(now + signer.expire_after)))
    if signer.length is not None:
        tags.append(("l", str(min(signer.length, digest.length))))
    tags += [("bh", base64.b64encode(digest.value).decode("ascii")), ("h", ":".join(names))]
    return signed_field(b"DKIM-Signature", tags, names, headers, signer)


def _canonicalization(signer: Signer) -> str:
    words = ("simple", "relaxed")
    return f"{words[signer.is_header_relaxed]}/{words[signer.is_body_relaxed]}"


def signed_field(
    name: bytes, tags: Sequence[tuple[str, str]], names: Sequence[str], headers: Headers, signer: Signer
) -> bytes:
    """The field with the tags and its signature in b=, of the named header fields and itself."""
    text = folded(tags, first=len(name) + 2) + "\r\n\tb="
    unsigned = Field(name + b": " + text.encode("latin-1") + b"\r\n")
    parts = [
        field.canonical(signer.is_header_relaxed)
        for field in headers.chosen(one.encode("latin-1", "replace") for one in names)
    ]
    parts.append(unsigned.canonical(signer.is_header_relaxed)[:-2])
    return unsigned.raw[:-2] + signature_text(signer, b"".join(parts)) + b"\r\n"


def signature_text(signer: Signer, data: bytes) -> bytes:
    """The value of b= for these octets, folded."""
    digest = hashlib.new(signer.hash_name, data).digest()
    text = base64.b64encode(signer.key.sign(data, digest, signer.hash_name))
    width = LINE_LENGTH - 4
    return b"\r\n\t ".join(text[at : at + width] for at in range(0, len(text), width))


def folded(tags: Sequence[tuple[str, str]], first: int) -> str:
    """The tags as text: as many in a line as fit. `first` octets of the first line are taken already."""
    words = []
    for name, value in tags:
        pieces = f"{name}={value};".split(":") if name == "h" else [f"{name}={value};"]
        # Only lists of names can be divided, after a colon.
        words += [(" " if at == 0 else "", piece + ":" * (at + 1 < len(pieces))) for at, piece in enumerate(pieces)]
    lines, room = [""], LINE_LENGTH - first
    for space, word in words:
        if lines[-1] and len(lines[-1]) + len(space) + len(word) > room:
            lines.append(word if space else " " + word)
            room = LINE_LENGTH - 1
        else:
            lines[-1] += (space if lines[-1] else "") + word
    return "\r\n\t".join(lines)


def sign(message: bytes, *signers: Signer, now: float | None = None) -> bytes:
    """A message in one piece with its signatures on top; its line ends become CRLF."""
    headers, body = messages.split(message)
    signing = Signing(signers)
    signing.feed(body)
    fields = signing.fields(headers, now)
    return b"".join(fields) + b"".join(field.raw for field in headers.fields) + b"\r\n" + body

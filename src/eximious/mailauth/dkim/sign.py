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
from eximious.mailauth.dkim.layout import laid_out
from eximious.mailauth.dkim.signature import is_under, unsigned
from eximious.mailauth.message import Field, Headers

# RFC 6376 section 5.4.1. "+" signs a field once more than it is there, so that none can be added.
DEFAULT_HEADERS: Final = (
    "+From", "+Sender", "+Reply-To", "+Subject", "+Date", "+Message-ID", "+To", "+Cc", "+MIME-Version",
    "+Content-Type", "+Content-Transfer-Encoding", "+Content-ID", "+Content-Description", "=Resent-Date",
    "=Resent-From", "=Resent-Sender", "=Resent-To", "=Resent-Cc", "=Resent-Message-ID", "+In-Reply-To", "+References",
    "+List-Id", "+List-Help", "+List-Unsubscribe", "+List-Unsubscribe-Post", "+List-Subscribe", "+List-Post",
    "+List-Owner", "+List-Archive",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signer:
    """How to sign for one domain. `now` and `expire_after` are in seconds; no t= if `now` is False.

    `headers` are names; ``+name`` signs one more than there are (oversigning), ``=name`` all that there are, and a bare
    name one of them, or that there is none.
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
    """What a list of names with marks comes to for one message; ``From`` is always in it.

    What is there comes first, from the last field up (so are fields of one name taken), as it is spelt there; names of
    which nothing is there, or nothing more, come last.
    """
    if not any(entry.strip("+= \t").lower() == "from" for entry in wanted):
        wanted = ["From", *wanted]
    absent: list[str] = []
    taken: dict[bytes, int] = {}
    for entry in wanted:
        mark, name = (entry[0], entry[1:].strip()) if entry[:1] in ("+", "=") else ("", entry.strip())
        key = name.lower().encode("latin-1", "replace")
        there = len(headers.all(key)) - taken.get(key, 0)
        count = max(0, there if mark else min(there, 1))
        taken[key] = taken.get(key, 0) + count
        if mark == "+" or (not mark and not count):
            absent.append(name)
    present: list[str] = []
    for field in reversed(headers.fields):
        if taken.get(field.name):
            taken[field.name] -= 1
            present.append(field.spelling)
    return [*present, *absent]


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
    tags = [("v", "1"), ("a", signer.algorithm), ("q", "dns/txt"), ("c", _canonicalization(signer))]
    tags += [("d", signer.domain), ("s", signer.selector)]
    tags += [("h", ":".join(names)), ("bh", base64.b64encode(digest.value).decode("ascii"))]
    if signer.identity:
        tags.append(("i", signer.identity))
    if signer.length is not None:
        tags.append(("l", str(min(signer.length, digest.length))))
    if signer.with_time:
        tags.append(("t", str(now)))
    if signer.expire_after is not None:
        tags.append(("x", str(now + signer.expire_after)))
    # The lines are the same whatever the signature is, so it can be put where a dummy was.
    dummy = Field(_laid_out(tags, "A" * signer.key.signature_length))
    parts = [
        field.canonical(signer.is_header_relaxed)
        for field in headers.chosen(name.lower().encode("latin-1", "replace") for name in names)
    ]
    parts.append(unsigned(dummy).canonical(signer.is_header_relaxed)[:-2])
    return _laid_out(tags, signature_text(signer, b"".join(parts)))


def _laid_out(tags: list[tuple[str, str]], signature: str) -> bytes:
    return laid_out("DKIM-Signature", [*tags, ("b", signature)]).encode("latin-1", "replace") + b"\r\n"


def _canonicalization(signer: Signer) -> str:
    words = ("simple", "relaxed")
    return f"{words[signer.is_header_relaxed]}/{words[signer.is_body_relaxed]}"


def signature_text(signer: Signer, data: bytes) -> str:
    """The value of b= for these octets."""
    digest = hashlib.new(signer.hash_name, data).digest()
    return base64.b64encode(signer.key.sign(data, digest, signer.hash_name)).decode("ascii")


def sign(message: bytes, *signers: Signer, now: float | None = None) -> bytes:
    """A message in one piece with its signatures on top; its line ends become CRLF."""
    headers, body = messages.split(message)
    signing = Signing(signers)
    signing.feed(body)
    fields = signing.fields(headers, now)
    return b"".join(fields) + b"".join(field.raw for field in headers.fields) + b"\r\n" + body

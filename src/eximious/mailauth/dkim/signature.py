"""What a DKIM-Signature or ARC-Message-Signature field says (RFC 6376 section 3.5)."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final

from eximious.mailauth import taglist
from eximious.mailauth.resolver import is_askable
from eximious.mailauth.taglist import TagError

if TYPE_CHECKING:
    from eximious.mailauth.message import Field, Headers

SIGNED_LIMIT: Final = 1000  # names in h=
KEY_TYPES: Final = {"rsa", "ed25519"}
HASH_NAMES: Final = {"sha1", "sha256", "sha512"}

_NEEDED: Final = ("v", "a", "b", "bh", "d", "h", "s")
_SIGNATURE_TAG: Final = re.compile(rb"(;[ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_SIGNATURE_TAG_FIRST: Final = re.compile(rb"([ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class SignatureFault(ValueError):
    """The field is not a signature that can be verified."""


class Signature:
    """A signature's tags. Times are UNIX times."""

    __slots__ = (
        "algorithm",
        "body_hash",
        "copied",
        "data",
        "domain",
        "expires",
        "field",
        "hash_name",
        "headers",
        "identity",
        "is_body_relaxed",
        "is_header_relaxed",
        "key_type",
        "length",
        "query_methods",
        "selector",
        "signed_at",
        "tags",
    )

    def __init__(self, field: Field) -> None:
        self.field = field
        self.tags: dict[str, str] = {}
        self.algorithm = self.key_type = self.hash_name = ""
        self.domain = self.selector = self.identity = ""
        self.data = self.body_hash = b""
        self.headers: tuple[bytes, ...] = ()  # names, in lower case
        self.is_header_relaxed = self.is_body_relaxed = False
        self.length: int | None = None
        self.signed_at: int | None = None
        self.expires: int | None = None
        self.query_methods: tuple[str, ...] = ("dns/txt",)
        self.copied = ""

    def __repr__(self) -> str:
        return f"Signature(d={self.domain!r}, s={self.selector!r}, a={self.algorithm!r})"

    @property
    def key_name(self) -> str:
        """Where the key is."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def canonicalization(self) -> str:
        """As in c=, in full."""
        words = ("simple", "relaxed")
        return f"{words[self.is_header_relaxed]}/{words[self.is_body_relaxed]}"

    def signed_data(self, headers: Headers) -> bytes:
        """The octets that the signature is of: the header fields, and this one without its b= (section 3.7)."""
        relaxed = self.is_header_relaxed
        if relaxed:
            parts = [field.relaxed for field in headers.chosen(self.headers)]
        else:
            parts = [field.raw for field in headers.chosen(self.headers)]
        parts.append(unsigned(self.field).canonical(relaxed)[:-2])
        return b"".join(parts)


def unsigned(field: Field) -> Field:
    """The signature's own field with nothing after b=."""
    raw = field.raw
    match = _SIGNATURE_TAG_FIRST.match(raw, field.value_at) or _SIGNATURE_TAG.search(raw, field.value_at)
    if match is None:
        return field
    rest = raw[match.end() :] or b"\r\n"
    return type(field)(raw[: match.end(1)] + rest)


def parse(field: Field) -> Signature:
    """Read a DKIM-Signature field. Raises SignatureFault; what was understood so far is in its `signature`."""
    signature = Signature(field)
    try:
        read_tags(signature, _NEEDED)
        if signature.tags["v"] != "1":
            raise SignatureFault("v= is not 1")
        read_common(signature)
        read_message_part(signature)
        _read_identity(signature)
        if b"from" not in signature.headers:
            raise SignatureFault("h= does not have From")
    except (SignatureFault, TagError) as error:
        fault = SignatureFault(str(error))
        _read_what_is_there(signature)
        fault.__dict__["signature"] = signature
        raise fault from None
    return signature


def _read_what_is_there(signature: Signature) -> None:
    """What is wrong may be something else: take the signature and the canonicalization for those who show them."""
    tags = signature.tags
    with contextlib.suppress(TagError):
        signature.data = taglist.base64_value("b", tags.get("b", ""))
    header, _, body = tags.get("c", "").lower().partition("/")
    signature.is_header_relaxed = header == "relaxed"
    signature.is_body_relaxed = body == "relaxed"


def read_tags(signature: Signature, needed: tuple[str, ...]) -> None:
    """Split the field. Raises SignatureFault if a tag is missing."""
    signature.tags = tags = taglist.parse(signature.field.text)
    signature.domain = tags.get("d", "")
    signature.selector = tags.get("s", "")
    signature.algorithm = tags.get("a", "").lower()
    for name in needed:
        if name not in tags:
            raise SignatureFault(f"{name}= is missing")


def read_common(signature: Signature) -> None:
    """What signatures of messages and seals share: a, b, d, s, t."""
    tags = signature.tags
    key_type, _, hash_name = signature.algorithm.partition("-")
    if key_type not in KEY_TYPES or hash_name not in HASH_NAMES:
        raise SignatureFault(f'a= names an unknown algorithm, "{_shown(tags["a"])}"')
    signature.key_type, signature.hash_name = key_type, hash_name
    # A name that can be asked for is made of parts that can.
    can_be_asked = is_askable(signature.key_name)
    if _DOMAIN.fullmatch(signature.domain) is None or not (can_be_asked or is_askable(signature.domain)):
        raise SignatureFault("d= is no domain name")
    if _DOMAIN.fullmatch(signature.selector) is None or not can_be_asked:
        raise SignatureFault("s= is no selector")
    signature.data = taglist.base64_value("b", tags["b"])
    if not signature.data:
        raise SignatureFault("b= is empty")
    if "t" in tags:
        signature.signed_at = taglist.number("t", tags["t"])


def read_message_part(signature: Signature) -> None:
    """What signatures of messages have besides: bh, c, h, l, q, x, z."""
    tags = signature.tags
    signature.body_hash = taglist.base64_value("bh", tags["bh"])
    header, slash, body = tags.get("c", "simple/simple").lower().partition("/")
    if header not in ("simple", "relaxed") or (body if slash else "simple") not in ("simple", "relaxed"):
        raise SignatureFault(f'c= names an unknown canonicalization, "{_shown(tags["c"])}"')
    signature.is_header_relaxed = header == "relaxed"
    signature.is_body_relaxed = body == "relaxed"
    names = taglist.without_space(tags["h"]).lower().split(b":")
    if not all(names) or len(names) > SIGNED_LIMIT:
        raise SignatureFault("h= is not a list of header fields")
    signature.headers = tuple(names)
    if "l" in tags:
        signature.length = taglist.number("l", tags["l"], 76)
    if "x" in tags:
        signature.expires = taglist.number("x", tags["x"])
        if signature.signed_at is not None and signature.expires < signature.signed_at:
            raise SignatureFault("x= is before t=")
    if "q" in tags:
        signature.query_methods = tuple(word.lower() for word in taglist.words(tags["q"]))
        if "dns/txt" not in signature.query_methods and "dns" not in signature.query_methods:
            raise SignatureFault("q= does not have dns/txt")
    signature.copied = tags.get("z", "")


def _read_identity(signature: Signature) -> None:
    identity = signature.tags.get("i", "")
    signature.identity = identity or f"@{signature.domain}"
    _, at, domain = signature.identity.rpartition("@")
    if not at or not is_under(domain, signature.domain):
        raise SignatureFault("i= is not in the domain of d=")


def is_under(domain: str, parent: str) -> bool:
    """True if the domain is the other or a subdomain of it."""
    domain, parent = domain.lower(), parent.lower()
    return domain == parent or domain.endswith("." + parent)


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text[:40])

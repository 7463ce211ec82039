"""Policy records (RFC 9989 section 4.7, RFC 7489 section 6.3)."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

URI_LIMIT: Final = 20  # addresses for reports that are looked at
TAG_LIMIT: Final = 200  # tags of a record that are looked at

_VERSION: Final = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_SIZE: Final = re.compile(r"(.*)!([0-9]{1,9})([kmgt]?)", re.IGNORECASE | re.DOTALL)
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9._-]{1,253}")
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_FAILURE_OPTIONS: Final = {"0", "1", "d", "s"}


class Policy(enum.Enum):
    """What a domain asks for: the value of p=, sp= and np=."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    def __str__(self) -> str:
        return self.value

    @property
    def lower(self) -> Policy:
        """The next milder one."""
        return Policy.QUARANTINE if self is Policy.REJECT else Policy.NONE


@dataclass(frozen=True, slots=True)
class ReportUri:
    """Where reports go. `max_size` is in octets (RFC 7489; RFC 9989 has none), `text` what the record says."""

    uri: str
    max_size: int | None = None
    text: str = field(default="", compare=False)

    @property
    def address(self) -> str:
        """The mail address, which has no quotes, spaces or the like; empty if there is none."""
        scheme, _, rest = self.uri.partition(":")
        address = unquote(rest.partition("?")[0], "latin-1") if scheme.lower() == "mailto" else ""
        return address if _ADDRESS.fullmatch(address) else ""

    @property
    def domain(self) -> str:
        """The domain of the mail address."""
        return self.address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class Record:
    """A policy record. Unknown and impossible tags have been left out."""

    text: str
    policy: Policy
    subdomain_policy: Policy | None = None  # sp=
    nonexistent_policy: Policy | None = None  # np=
    is_dkim_strict: bool = False  # adkim=s
    is_spf_strict: bool = False  # aspf=s
    percent: int = 100  # pct=, RFC 7489 only
    is_testing: bool = False  # t=y, RFC 9989 only
    is_public_suffix: bool | None = None  # psd=; None for "u"
    failure_options: frozenset[str] = frozenset({"0"})  # fo=
    aggregate_uris: tuple[ReportUri, ...] = ()  # rua=
    failure_uris: tuple[ReportUri, ...] = ()  # ruf=
    interval: int = 86_400  # ri=, seconds

    def for_subdomain(self, *, is_nonexistent: bool = False) -> Policy:
        """The policy for a subdomain of the record's domain."""
        if is_nonexistent and self.nonexistent_policy is not None:
            return self.nonexistent_policy
        return self.subdomain_policy or self.policy


def is_record(text: str) -> bool:
    """True if the TXT record claims to be one of DMARC; the version counts exactly."""
    return _VERSION.match(text) is not None


def parse(text: str) -> Record | None:
    """Read a record; None if it is not one, or is of no use: without a valid p= and without a place for reports."""
    if not is_record(text):
        return None
    tags = _tags(text)
    aggregate = _uris(tags.get("rua", ""))
    policy = _policy(tags, "p")
    others = {name: _policy(tags, name) for name in ("sp", "np")}
    if policy is None or any(name in tags and found is None for name, found in others.items()):
        # RFC 9989 section 4.7, RFC 7489 section 6.6.3: then at least reports are sent.
        if not aggregate:
            return None
        policy, others = Policy.NONE, {"sp": None, "np": None}
    options = frozenset(one.strip() for one in tags.get("fo", "0").lower().split(":")) & _FAILURE_OPTIONS
    return Record(
        text,
        policy,
        others["sp"],
        others["np"],
        tags.get("adkim", "r").lower() == "s",
        tags.get("aspf", "r").lower() == "s",
        _number(tags.get("pct", ""), 100, 100),
        tags.get("t", "n").lower() == "y",
        {"y": True, "n": False}.get(tags.get("psd", "u").lower()),
        options or frozenset({"0"}),
        aggregate,
        _uris(tags.get("ruf", "")),
        _number(tags.get("ri", ""), 86_400, 2**32 - 1),
    )


def report_uris(text: str, tag: str) -> tuple[ReportUri, ...]:
    """The addresses of one tag, rua or ruf, in a record that may have no policy (RFC 9990 section 4)."""
    return _uris(_tags(text).get(tag, ""))


def _tags(text: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    for part in text.split(";")[:TAG_LIMIT]:
        name, equals, value = part.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), value.strip())
    return tags


def _policy(tags: dict[str, str], name: str) -> Policy | None:
    try:
        return Policy(tags.get(name, "").lower())
    except ValueError:
        return None


def _number(text: str, default: int, limit: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        return default
    return min(int(text), limit)


def _uris(text: str) -> tuple[ReportUri, ...]:
    found = []
    for part in text.split(",")[:URI_LIMIT]:
        uri, size = part.strip(), None
        text = uri
        match = _SIZE.fullmatch(uri)
        if match is not None:
            uri, size = match[1], int(match[2]) * _UNITS[match[3].lower()]
        one = ReportUri(uri, size, text)
        if one.domain and " " not in uri:
            found.append(one)
    return tuple(found)

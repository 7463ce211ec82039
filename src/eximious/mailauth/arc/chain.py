"""The sets of a message's header, put in order (RFC 8617 section 4.2), and the records of what they came to."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eximious.mailauth import taglist
from eximious.mailauth.authres import AuthenticationResults, AuthresError, parse_arc
from eximious.mailauth.dkim.signature import Signature, SignatureFault, read_common, read_message_part, read_tags
from eximious.mailauth.taglist import TagError

if TYPE_CHECKING:
    from eximious.mailauth.message import Field, Headers

INSTANCE_LIMIT: Final = 50  # RFC 8617 section 4.2.1

RESULTS: Final = b"arc-authentication-results"
MESSAGE: Final = b"arc-message-signature"
SEAL: Final = b"arc-seal"

_RESULTS_INSTANCE: Final = re.compile(rb"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,3})[ \t\r\n]*;")


class ChainResult(enum.Enum):
    """The chain validation status (RFC 8617 section 4.4)."""

    NONE = "none"
    PASS = "pass"
    FAIL = "fail"

    def __str__(self) -> str:
        return self.value


class ChainFault(ValueError):
    """The sets are not what they must be. `instance` is the one at fault, 0 if none is by itself."""

    def __init__(self, text: str, instance: int = 0) -> None:
        super().__init__(text)
        self.instance = instance


@dataclass(frozen=True, slots=True)
class Link:
    """One set of a chain, as it was checked."""

    instance: int
    domain: str  # that sealed
    selector: str
    results: str  # its ARC-Authentication-Results, octets in str
    signed_at: int | None = None
    message_passes: bool | None = None  # its ARC-Message-Signature; None if it was not looked at
    seal_passes: bool | None = None
    fault: str = ""

    def __str__(self) -> str:
        words = {None: "not checked", True: "pass", False: "fail"}
        text = f"i={self.instance} {self.domain}: message {words[self.message_passes]}, seal {words[self.seal_passes]}"
        return f"{text} ({self.fault})" if self.fault else text

    @property
    def authentication_results(self) -> AuthenticationResults | None:
        """What the set says its host found; None if that cannot be read."""
        try:
            return parse_arc(self.results)[1]
        except AuthresError:
            return None


@dataclass(frozen=True, slots=True)
class Chain:
    """The outcome. `oldest_pass` is the first set from which on the message was not changed, 0 if it never was."""

    result: ChainResult
    reason: str = ""
    links: tuple[Link, ...] = ()  # i=1 first
    oldest_pass: int = 0
    is_temporary: bool = False  # it fails since a key could not be asked for

    def __str__(self) -> str:
        if self.result is ChainResult.NONE:
            return "none: there are no ARC sets"
        if self.result is ChainResult.FAIL:
            return f"fail: {self.reason}"
        count = len(self.links)
        return f"pass: {count} set{'s' if count > 1 else ''}, sealed by {', '.join(self.domains)}"

    @property
    def domains(self) -> tuple[str, ...]:
        """Who sealed, the first one first."""
        return tuple(link.domain for link in self.links)

    @property
    def trace(self) -> tuple[str, ...]:
        """What was found for each set."""
        return tuple(str(link) for link in self.links)

    def is_trusted(self, sealers: frozenset[str] | set[str]) -> bool:
        """The chain passes and every sealer is one of these domains (in lower case)."""
        return self.result is ChainResult.PASS and all(domain.lower() in sealers for domain in self.domains)


class Set:
    """The three fields of one instance."""

    __slots__ = ("instance", "message", "results", "seal")

    def __init__(self, instance: int) -> None:
        self.instance = instance
        self.results: Field | None = None
        self.message: Signature | None = None
        self.seal: Signature | None = None

    def complete(self) -> tuple[Field, Signature, Signature]:
        """Results, message signature and seal. Raises ChainFault if one is missing."""
        if self.results is None:
            raise ChainFault(f"i={self.instance} has no ARC-Authentication-Results", self.instance)
        if self.message is None:
            raise ChainFault(f"i={self.instance} has no ARC-Message-Signature", self.instance)
        if self.seal is None:
            raise ChainFault(f"i={self.instance} has no ARC-Seal", self.instance)
        return self.results, self.message, self.seal


def sets(headers: Headers) -> list[Set]:
    """The sets, i=1 first. Raises ChainFault if the header is not that of an intact chain."""
    found: dict[int, Set] = {}
    fields = [(name, field) for name in (RESULTS, MESSAGE, SEAL) for field in headers.all(name)]
    if len(fields) > 3 * INSTANCE_LIMIT:
        raise ChainFault(f"more than {INSTANCE_LIMIT} sets")
    for name, field in fields:
        _place(found, name, field)
    for instance in range(1, len(found) + 1):
        one = found.get(instance)
        if one is None:
            raise ChainFault(f"there is no set i={instance}", instance)
        one.complete()
    return [found[instance] for instance in sorted(found)]


def _place(found: dict[int, Set], name: bytes, field: Field) -> None:
    label = name.decode("ascii")
    try:
        if name == RESULTS:
            match = _RESULTS_INSTANCE.match(field.value)
            if match is None:
                raise ChainFault(f"{label} has no i= at its beginning")
            instance = int(match[1])
        else:
            signature = _signature(name, field)
            instance = taglist.number("i", signature.tags["i"], 3)
    except (TagError, SignatureFault) as error:
        raise ChainFault(f"{label}: {error}", _guessed(field)) from None
    if not 1 <= instance <= INSTANCE_LIMIT:
        raise ChainFault(f"{label} has i={instance}")
    one = found.setdefault(instance, Set(instance))
    if name == RESULTS:
        is_double, one.results = one.results is not None, field
    elif name == MESSAGE:
        is_double, one.message = one.message is not None, signature
    else:
        is_double, one.seal = one.seal is not None, signature
    if is_double:
        raise ChainFault(f"{label} is there twice with i={instance}", instance)


def _signature(name: bytes, field: Field) -> Signature:
    signature = Signature(field)
    if name == SEAL:
        read_tags(signature, ("a", "b", "cv", "d", "i", "s"))
        read_common(signature)
        if "h" in signature.tags:
            raise SignatureFault("a seal must not have h=")
        if signature.tags["cv"] not in ("none", "pass", "fail"):
            raise SignatureFault("cv= is neither none, pass nor fail")
        signature.is_header_relaxed = True
        return signature
    read_tags(signature, ("a", "b", "bh", "d", "h", "i", "s"))
    read_common(signature)
    read_message_part(signature)
    if SEAL in signature.headers:
        raise SignatureFault("h= has ARC-Seal")
    return signature


_INSTANCE: Final = re.compile(rb"(?:\A|;)[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,3})[ \t\r\n]*(?=;|\Z)")


def _guessed(field: Field) -> int:
    match = _INSTANCE.search(field.value[:10_000])
    return int(match[1]) if match is not None else 0


def highest_instance(headers: Headers) -> int:
    """The greatest i= of any ARC field, also of a chain that is not intact; 0 if there is none."""
    fields = [field for name in (RESULTS, MESSAGE, SEAL) for field in headers.all(name)]
    return max((_guessed(field) for field in fields[: 4 * INSTANCE_LIMIT]), default=0)


def seal_status(headers: Headers, instance: int) -> str:
    """The cv= of a set's seal, wherever it is; empty if it cannot be read."""
    for field in headers.all(SEAL)[: 2 * INSTANCE_LIMIT]:
        if _guessed(field) == instance:
            try:
                return taglist.parse(field.text).get("cv", "")
            except TagError:
                return ""
    return ""


def sealers(headers: Headers) -> list[str]:
    """Who sealed, i=1 first, also for a chain that is not intact: then with gaps."""
    found: dict[int, str] = {}
    for field in headers.all(SEAL)[: 2 * INSTANCE_LIMIT]:
        try:
            found.setdefault(_guessed(field), taglist.parse(field.text).get("d", ""))
        except TagError:
            continue
    last = min(max(found, default=0), INSTANCE_LIMIT)
    return [found.get(instance, "") for instance in range(1, last + 1)]

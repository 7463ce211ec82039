"""SPF records: read once and kept with the answer that they came in."""

from __future__ import annotations

import re
import socket
from typing import Final

from eximious.mailauth.spf.macro import MacroError, MacroString, parse_domain
from eximious.mailauth.spf.macro import parse as parse_macros
from eximious.mailauth.spf.verdict import Result

TERM_LIMIT: Final = 4096  # terms of a record; one of 64 KB cannot keep a checker busy

QUALIFIERS: Final = {
    "": Result.PASS,
    "+": Result.PASS,
    "-": Result.FAIL,
    "~": Result.SOFTFAIL,
    "?": Result.NEUTRAL,
}

_MECHANISM: Final = re.compile(r"([-+?~]?)([A-Za-z0-9._-]+)(?:(:)(.*)|(/.*))?")
_MODIFIER: Final = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_DUAL_CIDR: Final = re.compile(r"(.*?)(?:/([0-9]+))?(?://([0-9]+))?")
_IP4: Final = re.compile(
    r"((?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))(?:/(\d+))?"
)
_IP6: Final = re.compile(r"([0-9A-Fa-f:.]+)(?:/([0-9]+))?")


class RecordError(ValueError):
    """The record is not what RFC 7208 allows: permerror."""


class Directive:
    """A mechanism with its qualifier."""

    __slots__ = ("cidr4", "cidr6", "domain", "kind", "network", "result", "shift", "text")

    def __init__(self, text: str, kind: str, result: Result) -> None:
        self.text = text
        self.kind = kind
        self.result = result  # if it matches
        self.domain: MacroString | None = None
        self.cidr4 = 32
        self.cidr6 = 128
        self.network = 0  # ip4, ip6: the network's bits, moved right by `shift`
        self.shift = 0

    def __repr__(self) -> str:
        return f"Directive({self.text!r})"


class Record:
    """A record's directives in their order, and its modifiers."""

    __slots__ = ("directives", "explanation", "redirect", "text", "unknown")

    def __init__(self, text: str) -> None:
        self.text = text
        self.directives: tuple[Directive, ...] = ()
        self.redirect: MacroString | None = None
        self.explanation: MacroString | None = None
        self.unknown: tuple[str, ...] = ()  # modifiers that nobody knows, and that are ignored

    def __repr__(self) -> str:
        return f"Record({self.text!r})"


def is_record(data: bytes) -> bool:
    """True if the TXT record claims to be one of SPF (section 4.5)."""
    return data[:6].lower() == b"v=spf1" and data[6:7] in (b"", b" ")


def parse(text: str) -> Record:
    """Read a record, ``v=spf1`` included; the text is octets in str. Raises RecordError for the first fault."""
    words = text.split(" ")
    if words[0].lower() != "v=spf1":
        raise RecordError("the record does not begin with v=spf1")
    if len(words) > TERM_LIMIT:
        raise RecordError("the record has too many terms")
    record = Record(text)
    directives = []
    unknown = []
    for word in words[1:]:
        if not word:
            continue
        modifier = _MODIFIER.fullmatch(word)
        try:
            if modifier is None:
                directives.append(_directive(word))
            elif not _read_modifier(record, modifier[1], modifier[2]):
                unknown.append(word)
        except MacroError as error:
            raise RecordError(f'"{word}": {error}') from None
    record.directives = tuple(directives)
    record.unknown = tuple(unknown)
    return record


def _read_modifier(record: Record, name: str, value: str) -> bool:
    """Take a modifier; False if it is not known."""
    match name.lower():
        case "redirect":
            if record.redirect is not None:
                raise RecordError("redirect= is there twice")
            record.redirect = parse_domain(value)
        case "exp":
            if record.explanation is not None:
                raise RecordError("exp= is there twice")
            record.explanation = parse_domain(value)
        case _:
            parse_macros(value)
            return False
    return True


def _directive(word: str) -> Directive:
    match = _MECHANISM.fullmatch(word)
    if match is None:
        raise RecordError(f'"{word}" is neither a mechanism nor a modifier')
    kind = match[2].lower()
    directive = Directive(word, kind, QUALIFIERS[match[1]])
    argument = match[4] if match[3] else None
    slash = match[5] or ""
    match kind:
        case "all":
            if argument is not None or slash:
                raise RecordError(f'"{word}": all has no argument')
        case "include" | "exists":
            if argument is None or slash:
                raise RecordError(f'"{word}": {kind} needs a domain')
            directive.domain = parse_domain(argument)
        case "a" | "mx":
            _read_dual(directive, argument, slash)
        case "ptr":
            if slash:
                raise RecordError(f'"{word}": ptr has no prefix length')
            directive.domain = None if argument is None else parse_domain(argument)
        case "ip4" | "ip6":
            _read_network(directive, argument or "")
        case _:
            raise RecordError(f'"{word}": there is no mechanism "{match[2]}"')
    return directive


def _read_dual(directive: Directive, argument: str | None, slash: str) -> None:
    match = _DUAL_CIDR.fullmatch(slash if argument is None else argument)
    assert match is not None
    if argument is not None:
        directive.domain = parse_domain(match[1])
    elif match[1]:
        raise RecordError(f'"{directive.text}": what follows the mechanism is no prefix length')
    directive.cidr4 = _prefix(directive.text, match[2], 32)
    directive.cidr6 = _prefix(directive.text, match[3], 128)


def _read_network(directive: Directive, argument: str) -> None:
    is_ip4 = directive.kind == "ip4"
    bits = 32 if is_ip4 else 128
    match = (_IP4 if is_ip4 else _IP6).fullmatch(argument)
    if match is None:
        raise RecordError(f'"{directive.text}" is no network')
    try:
        packed = socket.inet_pton(socket.AF_INET if is_ip4 else socket.AF_INET6, match[1])
    except OSError:
        raise RecordError(f'"{directive.text}" is no network') from None
    directive.shift = bits - _prefix(directive.text, match[2], bits)
    directive.network = int.from_bytes(packed, "big") >> directive.shift


def _prefix(text: str, digits: str | None, bits: int) -> int:
    if digits is None:
        return bits
    if len(digits) > 3 or (digits[0] == "0" and digits != "0") or int(digits) > bits:
        raise RecordError(f'"{text}": /{digits} is no prefix length')
    return int(digits)

"""Macro strings (RFC 7208 section 7): read once, expanded for each check."""

from __future__ import annotations

import re
import time
from typing import Final, Protocol
from urllib.parse import quote

from eximious.mailauth.resolver import NAME_LIMIT

EXPANDED_LIMIT: Final = 4096  # characters that an expansion may grow to

_ITEM: Final = re.compile(
    r"%\{(?P<letter>[slodiphcrtvSLODIPHCRTV])(?P<digits>[0-9]{0,3})(?P<reverse>[rR]?)(?P<delimiters>[.\-+,/_=]*)\}"
    r"|%(?P<escape>[%_-])"
    r"|(?P<literal>[\x20-\x24\x26-\x7e]+)"
)
_ESCAPES: Final = {"%": "%", "_": " ", "-": "%20"}
_ONLY_IN_EXPLANATIONS: Final = "crt"
_TOP_LABEL: Final = re.compile(r"\.(?=[A-Za-z0-9-]*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?$")


class MacroError(ValueError):
    """The text is not a macro string."""


class Values(Protocol):
    """What the letters stand for."""

    domain: str
    sender: str
    helo: str
    receiver: str
    is_ipv6: bool
    ip_text: str
    ip_dotted: str

    async def validated_name(self, domain: str) -> str:
        """A host name of the client that leads back to it, or ``unknown``; the best one for the domain."""
        ...


class Macro:
    """One ``%{...}``."""

    __slots__ = ("delimiters", "is_escaped", "is_reversed", "keep", "letter")

    def __init__(self, letter: str, keep: int, is_reversed: bool, delimiters: str) -> None:
        self.letter = letter.lower()
        self.is_escaped = letter.isupper()
        self.keep = keep  # right-hand parts to keep; 0: all
        self.is_reversed = is_reversed
        self.delimiters = delimiters

    async def expand(self, values: Values) -> str:
        """The text that it stands for."""
        text = await self._value(values)
        if self.keep or self.is_reversed or self.delimiters:
            text = self._transformed(text)
        return quote(text, safe="-._~", encoding="latin-1", errors="replace") if self.is_escaped else text

    async def _value(self, values: Values) -> str:
        match self.letter:
            case "s":
                return values.sender
            case "l":
                return values.sender.rpartition("@")[0]
            case "o":
                return values.sender.rpartition("@")[2]
            case "d":
                return values.domain
            case "i":
                return values.ip_dotted
            case "p":
                return await values.validated_name(values.domain)
            case "h":
                return values.helo
            case "v":
                return "ip6" if values.is_ipv6 else "in-addr"
            case "c":
                return values.ip_text
            case "r":
                return values.receiver or "unknown"
            case _:
                return str(int(time.time()))

    def _transformed(self, text: str) -> str:
        parts = re.split(f"[{re.escape(self.delimiters)}]", text) if self.delimiters else text.split(".")
        if self.is_reversed:
            parts.reverse()
        return ".".join(parts[-self.keep :])


class MacroString:
    """A parsed macro string: literals and macros in turn."""

    __slots__ = ("constant", "parts", "text")

    def __init__(self, text: str, parts: tuple[str | Macro, ...]) -> None:
        self.text = text
        self.parts = parts
        # Whether it is the same for every check, and then what.
        self.constant = "".join(str(part) for part in parts) if all(isinstance(part, str) for part in parts) else None

    async def expand(self, values: Values) -> str:
        """The text for one check. It is cut where it grows beyond all reason."""
        if self.constant is not None:
            return self.constant
        pieces = []
        length = 0
        for part in self.parts:
            piece = part if isinstance(part, str) else await part.expand(values)
            pieces.append(piece)
            length += len(piece)
            if length > EXPANDED_LIMIT:
                break
        return "".join(pieces)[:EXPANDED_LIMIT]

    async def domain(self, values: Values) -> str:
        """The domain name for one check: labels are taken off the left of one that is too long (section 7.3)."""
        name = self.constant if self.constant is not None else await self.expand(values)
        name = name.removesuffix(".")
        while len(name) > NAME_LIMIT and "." in name:
            name = name.partition(".")[2]
        return name


def parse(text: str, *, is_explanation: bool = False) -> MacroString:
    """Read a macro string; in explanations there may be spaces, and more letters. Raises MacroError."""
    parts: list[str | Macro] = []
    at = 0
    while at < len(text):
        match = _ITEM.match(text, at)
        if match is None:
            raise MacroError(f'"{text[at : at + 20]}" is not allowed in a macro string')
        at = match.end()
        if match["literal"]:
            if not is_explanation and " " in match["literal"]:
                raise MacroError("a space in a domain name")
            parts.append(match["literal"])
        elif match["escape"]:
            parts.append(_ESCAPES[match["escape"]])
        else:
            parts.append(_macro(match, is_explanation))
    return MacroString(text, tuple(parts))


def _macro(match: re.Match[str], is_explanation: bool) -> Macro:
    letter, digits = match["letter"], match["digits"]
    if letter.lower() in _ONLY_IN_EXPLANATIONS and not is_explanation:
        raise MacroError(f"{match[0]} may only be in explanations")
    keep = int(digits) if digits else 0
    if digits and not keep:
        raise MacroError(f"{match[0]} keeps no parts")
    return Macro(letter, keep, bool(match["reverse"]), match["delimiters"])


def parse_domain(text: str) -> MacroString:
    """Read a domain-spec: a macro string that ends in a top label or a macro. Raises MacroError."""
    if not text:
        raise MacroError("a domain is missing")
    spec = parse(text)
    last = spec.parts[-1]
    if isinstance(last, str) and not text.endswith(("%%", "%_", "%-")):
        before = "." if len(spec.parts) > 1 and "." not in last else ""
        if not _TOP_LABEL.search(before + last) or before:
            raise MacroError(f'"{text}" does not end in a domain name')
    elif isinstance(last, str):
        raise MacroError(f'"{text}" does not end in a domain name')
    return spec

"""DNS records in a text file, for tests and for checks without a network.

Lines are as ``dig +noall +answer`` prints them and as master files have them (RFC 1035 section 5), with whole names:
name, then perhaps a TTL and ``IN``, then type and data. ``;`` and ``#`` begin comments. ``NAME SERVFAIL`` makes
questions for a name fail.

>>> resolver = read('example.org. 300 IN TXT "v=spf1 " "-all" ; nobody\\nmx.example.org A 192.0.2.1')
>>> import asyncio
>>> asyncio.run(resolver.query("example.org", "TXT")).data
(b'v=spf1 -all',)
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

from eximious.mailauth.resolver import StaticResolver, is_askable

TYPES: Final = frozenset({"A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT"})

_WORD: Final = re.compile(r'[ \t]*("(?:[^"\\]|\\.)*"|[^\s"]+)')
_COMMENT: Final = re.compile(r"[ \t]*(?:[;#].*)?\Z")
_ESCAPED: Final = re.compile(r"\\(\d{3}|.)", re.DOTALL)


class ZoneError(ValueError):
    """A line is no record. The message begins with its number."""


def read(text: str) -> StaticResolver:
    """A resolver that knows the records of the text and no others. Raises ZoneError."""
    records: dict[str, dict[str, list[Any]] | None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            words = _words(line)
            if words:
                _add(records, words)
        except ValueError as error:
            raise ZoneError(f"line {number}: {error}") from None
    return StaticResolver(records)


def _words(line: str) -> list[str]:
    """The words of a line; those in quotes keep their first quote, to be told from others."""
    words = []
    at = 0
    while _COMMENT.match(line, at) is None:
        match = _WORD.match(line, at)
        if match is None:
            raise ValueError("a quote does not end")
        words.append(match[1])
        at = match.end()
    return words


def _add(records: dict[str, dict[str, list[Any]] | None], words: list[str]) -> None:
    name, rest = words[0].lower().removesuffix("."), words[1:]
    if not is_askable(name):
        raise ValueError(f'"{name}" is no domain name')
    if [word.upper() for word in rest] == ["SERVFAIL"]:
        records[name] = None
        return
    while rest and (rest[0].isdigit() or rest[0].upper() == "IN"):
        rest = rest[1:]
    kind = rest[0].upper() if rest else ""
    if kind not in TYPES:
        raise ValueError(f'"{kind}" is none of the types {", ".join(sorted(TYPES))}')
    of = records.setdefault(name, {})
    if of is not None:
        of.setdefault(kind, []).append(_data(kind, rest[1:]))


def _data(kind: str, words: list[str]) -> Any:
    """The data of a record. Raises ValueError."""
    if kind == "TXT" and words:
        return b"".join(_octets(word) for word in words)
    if kind == "MX" and len(words) == 2 and words[0].isdigit():
        return int(words[0]), words[1]
    if kind in ("TXT", "MX") or len(words) != 1:
        raise ValueError(f"the data of the {kind} record is wrong")
    if kind == "A":
        return str(ipaddress.IPv4Address(words[0]))
    return str(ipaddress.IPv6Address(words[0])) if kind == "AAAA" else words[0]


def _octets(word: str) -> bytes:
    text = word[1:-1] if word.startswith('"') else word
    plain = _ESCAPED.sub(lambda one: chr(int(one[1]) & 255) if one[1].isdigit() and len(one[1]) == 3 else one[1], text)
    return plain.encode("utf-8") if any(ord(one) > 255 for one in plain) else plain.encode("latin-1")

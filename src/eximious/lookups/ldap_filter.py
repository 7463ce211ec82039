"""LDAP search filters, from their text (RFC 4515) to what goes to the server (RFC 4511, section 4.5.1.7)."""

from __future__ import annotations

import re
from typing import Final

from eximious.lookups import ber

DEEPEST: Final = 50  # filters within filters

AND: Final = 0xA0
OR: Final = 0xA1
NOT: Final = 0xA2
EQUAL: Final = 0xA3
SUBSTRINGS: Final = 0xA4
GREATER: Final = 0xA5
LESS: Final = 0xA6
PRESENT: Final = 0x87
APPROXIMATE: Final = 0xA8
EXTENSIBLE: Final = 0xA9

_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2})")
_ITEM = re.compile(rb"([^=~<>:()]*)(:dn)?(?::([^:=()]+))?(:=|=|~=|>=|<=)(.*)\Z", re.DOTALL)
_KINDS: Final = {b"=": EQUAL, b"~=": APPROXIMATE, b">=": GREATER, b"<=": LESS}


class FilterError(ValueError):
    """The text is not a filter."""


def encode(text: bytes) -> bytes:
    """The filter as the protocol has it. Raises FilterError."""
    text = text.strip()
    if not text.startswith(b"("):
        text = b"(" + text + b")"
    encoded, end = _filter(text, 0, 0)
    if end != len(text):
        raise FilterError("there is something after the filter")
    return encoded


def _filter(text: bytes, at: int, depth: int) -> tuple[bytes, int]:
    """The filter in parentheses that begins at a place, and where it ends."""
    if depth > DEEPEST:
        raise FilterError("the filter is nested too deeply")
    if text[at : at + 1] != b"(":
        raise FilterError("a parenthesis is missing")
    mark = text[at + 1 : at + 2]
    if mark in (b"&", b"|", b"!"):
        return _combination(mark, text, at + 2, depth)
    end = text.find(b")", at)
    if end < 0:
        raise FilterError("a parenthesis is missing")
    return _item(text[at + 1 : end]), end + 1


def _combination(mark: bytes, text: bytes, at: int, depth: int) -> tuple[bytes, int]:
    parts: list[bytes] = []
    while text[at : at + 1] == b"(":
        part, at = _filter(text, at, depth + 1)
        parts.append(part)
    if text[at : at + 1] != b")":
        raise FilterError("a parenthesis is missing")
    if mark == b"!":
        if len(parts) != 1:
            raise FilterError("there must be one filter after an exclamation mark")
        return ber.encode(NOT, parts[0]), at + 1
    return ber.encode(AND if mark == b"&" else OR, b"".join(parts)), at + 1


def _item(text: bytes) -> bytes:
    found = _ITEM.match(text)
    if found is None:
        raise FilterError("a comparison is missing")
    attribute, with_dn, rule, operator, value = found.groups()
    if operator == b":=" or with_dn or rule:
        return _extensible(attribute, bool(with_dn), rule, value)
    if operator != b"=" or b"*" not in value:
        return ber.encode(_KINDS[operator], ber.string(attribute) + ber.string(_value(value)))
    if value == b"*":
        return ber.string(attribute, PRESENT)
    return _substrings(attribute, value)


def _extensible(attribute: bytes, with_dn: bool, rule: bytes | None, value: bytes) -> bytes:
    parts = b"" if rule is None else ber.string(rule, 0x81)
    if attribute:
        parts += ber.string(attribute, 0x82)
    parts += ber.string(_value(value), 0x83)
    if with_dn:
        parts += ber.encode(0x84, b"\xff")
    return ber.encode(EXTENSIBLE, parts)


def _substrings(attribute: bytes, value: bytes) -> bytes:
    """``first*middle*last``: the parts that there are, with the tags of where they stand."""
    pieces = value.split(b"*")
    last = len(pieces) - 1
    parts = b""
    for index, piece in enumerate(pieces):
        if piece:
            parts += ber.string(_value(piece), 0x80 if index == 0 else 0x82 if index == last else 0x81)
    if not parts:
        return ber.string(attribute, PRESENT)
    return ber.encode(SUBSTRINGS, ber.string(attribute) + ber.encode(ber.SEQUENCE, parts))


def _value(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), text)

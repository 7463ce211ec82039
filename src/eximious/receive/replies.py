"""SMTP replies that contain a postmaster's or a router's text: its own code, its length, its lines.

Exim specification, the ``message`` modifier: a text may begin with a reply code and an extended code (RFC 3463); the
code's first digit must be the one that is due.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from eximious.octets import SPACE

LINE_LENGTH: Final = 75  # characters of text beyond which a line is folded at white space
SHORTEST: Final = 35  # ... but no line becomes this short, or shorter
CODE: Final = re.compile(r"(\d\d\d)\s(?:(\d\.\d{1,3}\.\d{1,3})\s)?")


class Wording:
    """A reply: its code, its extended code ("" if there is none), its text."""

    __slots__ = ("code", "extended", "text")

    def __init__(self, code: str, extended: str, text: str) -> None:
        self.code = code
        self.extended = extended
        self.text = text

    def lines(self, *, multiline: bool = True) -> str:
        """As it is sent, with CRLF; only its first line unless `multiline`."""
        prefix = f"{self.extended} " if self.extended else ""
        first_length = LINE_LENGTH - (len(prefix) + 4 if prefix else 0)
        parts = fold(self.text, first_length) if multiline else [self.text.split("\n", 1)[0]]
        last = parts.pop()
        before = "".join([f"{self.code}-{prefix}{part}\r\n" for part in parts])
        return f"{before}{self.code} {prefix}{last}\r\n"


def wording(code: str, text: str, complain: Callable[[str], None] | None = None) -> Wording:
    """The reply for a text, where `code` is due. A text with another first digit loses its codes; that is complained
    about."""
    found = CODE.match(text)
    if found is None:
        return Wording(code, "", text)
    own, extended = found[1], found[2] or ""
    if own[0] != code[0]:
        if complain is not None:
            complain(f'configured error code starts with incorrect digit (expected {code[0]}) in "{text}"')
        own, extended = code, ""
    return Wording(own, extended, text[found.end() :])


def fold(text: str, first_length: int = LINE_LENGTH) -> list[str]:
    """The lines of a text: at its newlines, and at white space where a line is too long. There is one at least."""
    lines: list[str] = []
    rest = text.removesuffix("\n")
    length = first_length
    while True:
        newline = rest.find("\n")
        end = newline if newline >= 0 else len(rest)
        if end > length:
            end = _space(rest, length, end)
        lines.append(rest[:end])
        if end == len(rest):
            return lines
        rest = rest[end + 1 :].lstrip(SPACE)
        length = LINE_LENGTH


def _space(text: str, length: int, end: int) -> int:
    """Where to fold: the last white space after a colon, else the last white space, in the line's second half; else the
    first white space behind it."""
    for position in range(length, SHORTEST, -1):
        if text[position] in SPACE and text[position - 1] == ":":
            return position
    for position in range(length, SHORTEST, -1):
        if text[position] in SPACE:
            return position
    for position in range(length + 1, end):
        if text[position] in SPACE:
            return position
    return end

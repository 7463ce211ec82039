"""The domains in a From field (RFC 5322 section 3.6.2), as far as DMARC needs them."""

from __future__ import annotations

import re
from typing import Final

LENGTH_LIMIT: Final = 100_000  # octets of a field that are looked at
ADDRESS_LIMIT: Final = 200  # addresses of a field

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_DOMAIN: Final = re.compile(r"[^\s<>,;:@()\"\\\[\]]+")
_SPACE: Final = re.compile(r"[ \t\r\n]+")


def author_domains(text: str) -> list[str]:
    """The domains of all addresses, each once, in lower case; empty for a field that has none.

    Comments and quoted strings may say what they like. Where angle brackets and bare addresses compete, the brackets
    are the address, as mail readers have it.
    """
    found: dict[str, None] = {}
    for mailbox in _mailboxes(_without_comments(text[:LENGTH_LIMIT]))[:ADDRESS_LIMIT]:
        bare = _without_quoted(mailbox)
        begin = bare.rfind("<")
        if begin >= 0:
            bare = bare[begin + 1 :].partition(">")[0]
        bare = bare.rpartition(":")[2]  # a source route, or the name of a group
        domain = _SPACE.sub("", bare.rpartition("@")[2]) if "@" in bare else ""
        domain = domain.rstrip(".").lower()
        if domain and _DOMAIN.fullmatch(domain):
            found[domain] = None
    return list(found)


class _Quotes:
    """Where the quoted strings of a text end.

    One that is not closed is none; then none that begins after it is closed, for every mark there is escaped as seen
    from the first. So no text takes more than the time to read it twice.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._one_is_open = False

    def end(self, at: int) -> int:
        """The end of the quoted string that begins here; of its mark alone if it is none."""
        if not self._one_is_open:
            found = _QUOTED.match(self._text, at)
            if found is not None:
                return found.end()
            self._one_is_open = True
        return at + 1


def _without_quoted(text: str) -> str:
    """The text with a mark that no domain may contain in place of each quoted string."""
    if '"' not in text:
        return text
    quotes = _Quotes(text)
    pieces = []
    at = 0
    while (begin := text.find('"', at)) >= 0:
        pieces.append(text[at : begin + 1])
        at = quotes.end(begin)
    pieces.append(text[at:])
    return "".join(pieces)


def _without_comments(text: str) -> str:
    """The text with comments taken out; quoted strings stay."""
    if "(" not in text and ")" not in text:
        return text
    quotes = _Quotes(text)
    pieces = []
    at = depth = 0
    while at < len(text):
        one = text[at]
        if one == "\\":
            if not depth:
                pieces.append(text[at : at + 2])
            at += 2
            continue
        if one == '"' and not depth:
            end = quotes.end(at)
            pieces.append(text[at:end])
            at = end
            continue
        if one == "(":
            depth += 1
        elif one == ")":
            depth = max(0, depth - 1)
        elif not depth:
            pieces.append(one)
        at += 1
    return "".join(pieces)


_MAILBOX_PART: Final = re.compile(r'<[^>]*>?|[^",;<]+', re.DOTALL)


def _mailboxes(text: str) -> list[str]:
    """The parts between commas and semicolons that are not in quotes or brackets."""
    quotes = _Quotes(text)
    mailboxes = []
    parts: list[str] = []
    at = 0
    while at < len(text):
        if text[at] in ",;":
            mailboxes.append("".join(parts))
            parts = []
            at += 1
            continue
        if text[at] == '"':
            end = quotes.end(at)
        else:
            match = _MAILBOX_PART.match(text, at)
            assert match is not None
            end = match.end()
        parts.append(text[at:end])
        at = end
    return [*mailboxes, "".join(parts)]

"""The domains in a From field (RFC 5322 section 3.6.2), as far as DMARC needs them."""

from __future__ import annotations

import re
from typing import Final

LENGTH_LIMIT: Final = 100_000  # octets of a field that are looked at
ADDRESS_LIMIT: Final = 200  # addresses of a field

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_DOMAIN: Final = re.compile(r"[^\s<>,;:@()\"\\\[\]]+")
_SPACE: Final = re.compile(r"[ \t\r\n]+")


def author_domains(text: str) -> list[str]:
    """The domains of all addresses, each once, in lower case; empty for a field that has none.

    Comments and quoted strings may say what they like. Where angle brackets and bare addresses compete, the brackets
    are the address, as mail readers have it.
    """
    found: dict[str, None] = {}
    for mailbox in _mailboxes(_without_comments(text[:LENGTH_LIMIT]))[:ADDRESS_LIMIT]:
        bare = _QUOTED.sub('"', mailbox)  # a mark that no domain may contain
        begin = bare.rfind("<")
        if begin >= 0:
            bare = bare[begin + 1 :].partition(">")[0]
        bare = bare.rpartition(":")[2]  # a source route, or the name of a group
        domain = _SPACE.sub("", bare.rpartition("@")[2]) if "@" in bare else ""
        domain = domain.rstrip(".").lower()
        if domain and _DOMAIN.fullmatch(domain):
            found[domain] = None
    return list(found)


def _without_comments(text: str) -> str:
    """The text with comments taken out; quoted strings stay."""
    if "(" not in text and ")" not in text:
        return text
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
            quoted = _QUOTED.match(text, at)
            end = quoted.end() if quoted is not None else at + 1
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


_MAILBOX_PART: Final = re.compile(r'"(?:[^"\\]|\\.)*"|<[^>]*>?|[^",;<]+|"', re.DOTALL)


def _mailboxes(text: str) -> list[str]:
    """The parts between commas and semicolons that are not in quotes or brackets."""
    mailboxes = [""]
    at = 0
    while at < len(text):
        if text[at] in ",;":
            mailboxes.append("")
            at += 1
            continue
        match = _MAILBOX_PART.match(text, at)
        assert match is not None
        mailboxes[-1] += match[0]
        at = match.end()
    return mailboxes

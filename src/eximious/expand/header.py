"""The values of header lines: ``$h_subject:``, ``$rh_``, ``$lh_``, ``$bh_``, and the condition ``def:h_...``.

Headers of the same name are put together, as Exim does: those that hold addresses with a comma and a newline between,
others with a newline.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, final

from eximious.expand.nodes import Node
from eximious.spool.message import DELETED
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.spool.message import Header

# Kinds of header (see eximious.spool.message) whose values are lists of addresses.
ADDRESS_KINDS: Final = frozenset("BCFRST")
ADDRESS_NAMES: Final = frozenset({"bcc", "cc", "from", "reply-to", "sender", "to"})
LONGEST_VALUE: Final = 1024 * 1024  # octets of one header inserted; header_maxsize bounds what can arrive


@final
class HeaderValue(Node):
    """What the headers of one name say."""

    __slots__ = ("form", "name")

    def __init__(self, form: str, name: str) -> None:
        self.form = form
        self.name = name.lower()

    def evaluate(self, context: Context) -> str:
        found = list(matching(context.message.headers, self.name))
        if not found:
            return ""
        if self.form == "r":
            return Tainted("".join(value for _, value in found)[:LONGEST_VALUE])
        if self.form == "l":
            text = _listed(found)
        else:
            text = _together(found)
        text = text[:LONGEST_VALUE]
        if self.form == "l" or "=?" not in text:
            return Tainted(text)
        from eximious.expand.operators.rfc2047 import decode_words

        return Tainted(decode_words(text, context, converts=self.form != "b"))

    def is_present(self, context: Context) -> bool:
        """True if there is a header of that name (``def:h_name:``)."""
        return any(True for _ in matching(context.message.headers, self.name))


def matching(headers: list[Header], name: str) -> Iterator[tuple[Header, str]]:
    """The headers of that name (in lower case) that are not deleted, each with what follows its colon, ends and all."""
    length = len(name)
    for header in headers:
        text = header.text
        if header.kind == DELETED or text[:length].lower() != name:
            continue
        before, colon, value = text[length:].partition(":")
        if colon and not before.strip(" \t"):
            yield header, value


def _is_addresses(header: Header) -> bool:
    return header.kind in ADDRESS_KINDS or header.name.lower() in ADDRESS_NAMES


def _together(found: list[tuple[Header, str]]) -> str:
    """The values without white space at both ends, joined as their kind asks for."""
    parts: list[str] = []
    for _, value in found:
        trimmed = value.strip(" \t\r\n")
        if trimmed:
            parts.append(trimmed)
    separator = ",\n" if _is_addresses(found[0][0]) else "\n"
    return separator.join(parts)


def _listed(found: list[tuple[Header, str]]) -> str:
    """The values, raw but for their ends, as a list with colons between; those within are doubled."""
    return ":".join(value.removesuffix("\n").replace(":", "::") for _, value in found)

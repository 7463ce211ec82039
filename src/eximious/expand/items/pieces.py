"""``${length{n}{text}}`` and its kin: parts and hashes whose numbers are expanded too."""

from __future__ import annotations

import re

from eximious.errors import ExpandError
from eximious.expand.cut import head, letter_hash, numeric_hash, part
from eximious.expand.item import item

_NUMBER = re.compile(r"[ \t\n\r\f\v]*([+-]?[0-9]*)\Z")


def _number(text: str, item: str, *, may_be_negative: bool = False) -> int:
    """One of the numbers of an item. Raises ExpandError with Exim's words."""
    found = _NUMBER.match(text)
    if found is not None and found[1] not in ("+", "-"):
        number = int(found[1][:12] or "0")
        if number >= 0 or may_be_negative:
            return number
    kind = "a number" if may_be_negative else "a positive number"
    raise ExpandError(f'"{text}" is not {kind} (in "{item}" expansion)')


@item("length", 2)
def length(count: str, text: str) -> str:
    """The first octets of a text."""
    return head(text, _number(count, "length"))


@item("substr", 2, 3)
def substr(start: str, count: str, text: str | None = None) -> str:
    """A part of a text."""
    first = _number(start, "substr", may_be_negative=True)
    if text is None:
        return part(count, first, None)
    return part(text, first, _number(count, "substr"))


@item("hash", 2, 3)
def hash_(count: str, letters: str, text: str | None = None) -> str:
    """A hash in letters."""
    first = _number(count, "hash")
    if text is None:
        return letter_hash(letters, first, None)
    return letter_hash(text, first, _number(letters, "hash"))


@item("nhash", 2, 3, is_clean=True)
def nhash(limit: str, second: str, text: str | None = None) -> str:
    """A hash in numbers."""
    first = _number(limit, "nhash")
    if first == 0:
        raise ExpandError(f'"{limit}" is zero (in "nhash" expansion)')
    if text is None:
        return numeric_hash(second, first, None)
    other = _number(second, "nhash")
    if other == 0:
        raise ExpandError("")
    return numeric_hash(text, first, other)

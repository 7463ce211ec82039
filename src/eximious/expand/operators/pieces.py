"""Lengths, parts and hashes."""

from __future__ import annotations

from eximious.errors import ExpandError
from eximious.expand.cut import head, letter_hash, numeric_hash, part
from eximious.expand.operator import operator


def _required(number: int | None, name: str) -> int:
    if number is None:
        raise ExpandError(f"missing values after {name}")
    return number


@operator("strlen", is_clean=True)
def strlen(text: str) -> str:
    """The number of octets."""
    return str(len(text))


@operator("length", "l", suffix="number")
def length(text: str, first: int | None = None) -> str:
    """The first so many octets."""
    return head(text, _required(first, "l"))


@operator("substr", "s", suffix="signed")
def substr(text: str, first: int | None = None, second: int | None = None) -> str:
    """A part of the text."""
    return part(text, _required(first, "s"), second)


@operator("hash", "h", suffix="numbers")
def hash_(text: str, first: int | None = None, second: int | None = None) -> str:
    """A hash in letters."""
    return letter_hash(text, _required(first, "h"), second)


@operator("nhash", "nh", suffix="numbers", is_clean=True)
def nhash(text: str, first: int | None = None, second: int | None = None) -> str:
    """A hash in numbers."""
    if not _required(first, "nh"):
        return ""
    assert first is not None
    return numeric_hash(text, first, second)

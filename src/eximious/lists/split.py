"""Lists as text: items between colons, or between another separator that the list itself names.

An item is trimmed of white space. A separator that belongs to an item is doubled; one that is a control character
cannot belong to an item.
"""

from __future__ import annotations

import re
from typing import Final

from eximious.taint import Tainted

SPACE: Final = " \t\n\r\f\v"

_patterns: dict[str, re.Pattern[str]] = {}


def split(text: str) -> list[str]:
    """The items of a list. An empty one counts, unless it is the last."""
    return split_with_separator(text)[1]


def separator_of(text: str) -> tuple[str, str]:
    """The list's separator, and the list without the prefix that names it (``<;`` or ``<\\n``)."""
    rest = text.lstrip(SPACE)
    if len(rest) < 2 or rest[0] != "<":
        return ":", rest
    character = rest[1]
    if _is_punctuation(character) or ord(character) < 32:
        return character, rest[2:]
    return ":", rest


def _is_punctuation(character: str) -> bool:
    return "!" <= character <= "~" and not character.isalnum()


def split_with_separator(text: str) -> tuple[str, list[str]]:
    """The separator and the items; items of a tainted list are tainted."""
    separator, rest = separator_of(text)
    if separator + separator in rest and ord(separator) >= 32:
        items = _split_with_doubled(rest, separator)
    else:
        items = [piece.strip(SPACE) for piece in rest.split(separator)]
        if not items[-1]:
            items.pop()
    if text.__class__ is Tainted:
        return separator, [Tainted(item) for item in items]
    return separator, items


def _split_with_doubled(text: str, separator: str) -> list[str]:
    pattern = _patterns.get(separator)
    if pattern is None:
        mark = re.escape(separator)
        pattern = _patterns[separator] = re.compile(f"((?:[^{mark}]++|{mark}{mark})*+)(?:{mark}|\\Z)")
    doubled = separator * 2
    items: list[str] = []
    at = 0
    while at < len(text):
        found = pattern.match(text, at)
        assert found is not None
        items.append(found[1].replace(doubled, separator).strip(SPACE))
        at = found.end()
    if items and not items[-1] and not text.endswith(separator):
        items.pop()
    return items


def quote_item(item: str, separator: str) -> str:
    """The item as it must stand in a list: the separator doubled."""
    return item.replace(separator, separator * 2)


def join(items: list[str], separator: str) -> str:
    """The list with these items. A space keeps apart what would otherwise look like a doubled separator."""
    if ord(separator) < 32:
        return separator.join(items)
    return separator.join(
        [
            item.replace(separator, separator * 2)
            if index == 0 or item[:1] not in ("", separator)
            else " " + item.replace(separator, separator * 2)
            for index, item in enumerate(items)
        ]
    )

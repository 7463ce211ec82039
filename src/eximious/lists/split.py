"""Lists as text, with taint: items between colons, or between another separator that the list itself names."""

from __future__ import annotations

from eximious.config import lists as plain
from eximious.taint import Tainted, alike


def split(text: str) -> list[str]:
    """The items of a list, tainted if the list is. An empty one counts, unless it is the last."""
    return split_with_separator(text)[1]


def split_with_separator(text: str) -> tuple[str, list[str]]:
    """The separator and the items."""
    separator, _ = plain.separator(text)
    items = plain.split(text)
    if text.__class__ is Tainted:
        return separator, [alike(item, text) for item in items]
    return separator, items


def quote_item(item: str, separator: str) -> str:
    """The item as it must stand in a list: the separator doubled."""
    return item.replace(separator, separator * 2)


def join(items: list[str], separator: str) -> str:
    """The list with these items. A space keeps apart what would otherwise look like a doubled separator."""
    if ord(separator) < 32:
        return separator.join(items)
    quoted = [quote_item(item, separator) for item in items]
    return separator.join(
        [" " + item if index and item[:1] in ("", separator) else item for index, item in enumerate(quoted)]
    )

"""Plain string lists: splitting at colons, or at the separator that the list itself names.

Exim specification, "List construction". (What the items of domain, host and address lists mean is not known here.)
"""

from __future__ import annotations

SPACES = " \t\n\r\f\v"


def separator(text: str, default: str = ":") -> tuple[str, int]:
    """The separator of a list, and where the list begins: ``<;`` at its start changes it to a semicolon."""
    start = len(text) - len(text.lstrip(SPACES))
    if text[start : start + 1] == "<" and _may_separate(text[start + 1 : start + 2]):
        return text[start + 1], start + 2
    return default, start


def _may_separate(character: str) -> bool:
    """True for ASCII punctuation and control characters."""
    return character != "" and character < "\x80" and not character.isalnum() and character != " "


def split(text: str, default: str = ":") -> list[str]:
    """The items without white space round them; a separator that is doubled stands for itself.

    An empty item at the end does not count. A control character cannot be doubled.
    """
    mark, start = separator(text, default)
    rest = text[start:]
    if mark < " " or mark == "\x7f" or mark + mark not in rest:
        items = [item.strip(SPACES) for item in rest.split(mark)]
    else:
        items = _split_with_doubles(rest, mark)
    if items and not items[-1]:
        items.pop()
    return items


def _split_with_doubles(rest: str, mark: str) -> list[str]:
    items = []
    item: list[str] = []
    position = 0
    while True:
        end = rest.find(mark, position)
        if end < 0:
            item.append(rest[position:])
            items.append("".join(item).strip(SPACES))
            return items
        item.append(rest[position:end])
        position = end + 1
        if rest.startswith(mark, position):
            item.append(mark)
            position += 1
        else:
            items.append("".join(item).strip(SPACES))
            item = []


def join(items: list[str], mark: str = ":") -> str:
    """One string from the items, with the separator doubled inside them."""
    return mark.join(item.replace(mark, mark + mark) for item in items)

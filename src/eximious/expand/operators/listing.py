"""``${listcount`` and ``${listnamed``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.errors import ExpandError
from eximious.expand.operator import operator
from eximious.lists.split import quote_item, split

if TYPE_CHECKING:
    from eximious.context import Context

DEEPEST: Final = 20  # named lists within named lists
_KINDS: Final = {"a": "address", "d": "domain", "h": "host", "l": "localpart"}


@operator("listcount", is_clean=True)
def listcount(text: str) -> str:
    """How many items a list has."""
    return str(len(split(text)))


@operator("listnamed", suffix="word")
def listnamed(context: Context, text: str, word: str = "") -> str:
    """The items of a named list, those of lists that it refers to in their places."""
    kind = _KINDS.get(word[:1], "") if word else ""
    if word and not kind:
        raise ExpandError('bad suffix on "list" operator')
    name = text[1:] if text.startswith("+") else text
    items = _items(context, name, [kind] if kind else list(_KINDS.values()), kind, 0)
    return " : ".join(quote_item(item, ":") for item in items)


def _items(context: Context, name: str, kinds: list[str], kind: str, depth: int) -> list[str]:
    named = next((found for one in kinds if (found := context.config.named_lists[one].get(name)) is not None), None)
    if named is None or depth > DEEPEST:
        words = {"address": "address ", "domain": "domain ", "host": "host ", "localpart": "localpart "}
        raise ExpandError(f'"{name}" is not a {words.get(kind, "")}named list')
    own_kind = next(one for one in kinds if context.config.named_lists[one].get(name) is named)
    items: list[str] = []
    for item in split(named.text):
        if item.startswith("+"):
            items += _items(context, item[1:], [own_kind], own_kind, depth + 1)
        else:
            items.append(item)
    return items

"""How expansion items (``${name{...}...}``) are registered.

Most are functions of their arguments; those with a syntax of their own have a function that reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from eximious.expand.nodes import Call, ContextCall, Node, fold
from eximious.registry import Registry

if TYPE_CHECKING:
    from eximious.expand.parse import Parser

F = TypeVar("F", bound=Callable[..., object])


class Item:
    """An item: `parse(parser, name)` reads what follows its name, including the brace that ends it."""

    __slots__ = ("doc", "parse")

    def __init__(self, parse: Callable[[Parser, str], Node], doc: str) -> None:
        self.parse = parse
        self.doc = doc


_MODULES = {
    "acl": "call",
    "authresults": "call",
    "certextract": "certificate",
    "dlfunc": "refused",
    "env": "environment",
    "extract": "extract",
    "filter": "loop",
    "hash": "pieces",
    "hmac": "digest",
    "if": "if_",
    "imapfolder": "imapfolder",
    "length": "pieces",
    "listextract": "extract",
    "listquote": "extract",
    "lookup": "lookup",
    "map": "loop",
    "nhash": "pieces",
    "perl": "refused",
    "prvs": "prvs",
    "prvscheck": "prvs",
    "python": "python",
    "readfile": "readfile",
    "readsocket": "readsocket",
    "reduce": "loop",
    "run": "run",
    "sg": "substitute",
    "sort": "sort",
    "srs_encode": "srs",
    "substr": "pieces",
    "tr": "substitute",
}

items: Registry[Item] = Registry("eximious.expand.items", "expansion item", _MODULES)


def item(name: str, least: int, most: int | None = None, *, is_clean: bool = False) -> Callable[[F], F]:
    """Decorator: the function gives the item's text from those of its `least` to `most` arguments.

    A function whose first parameter is called `context` gets the context too. `is_clean`: the result is never tainted.
    """

    def decorate(function: F) -> F:
        wants_context = function.__code__.co_varnames[:1] == ("context",)
        call: Callable[..., Node] = ContextCall if wants_context else Call

        def parse(parser: Parser, name: str) -> Node:
            arguments = parser.arguments(least, least if most is None else most, name)
            return fold(call(function, arguments, is_clean))

        items.register(name)(Item(parse, function.__doc__ or ""))
        return function

    return decorate


def syntax(*names: str) -> Callable[[F], F]:
    """Decorator: the function reads the item with the parser and gives its node."""

    def decorate(function: F) -> F:
        items.register(*names)(Item(function, function.__doc__ or ""))  # type: ignore[arg-type]
        return function

    return decorate


_known: dict[str, Item] = {}  # items that have been used


def find_item(name: str) -> Item | None:
    """The item of that name, or None; imports the module that has it."""
    found = _known.get(name)
    if found is None and name in _MODULES:
        found = items.find(name)
        if found is not None:
            _known[name] = found
    return found


def known_items() -> list[str]:
    """The names of all items."""
    return list(_MODULES)

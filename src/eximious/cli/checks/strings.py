"""Every string of a configuration that will be expanded, with what it is for and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from eximious.acl.compiled import Item
from eximious.config.configuration import Configuration
from eximious.config.named_lists import TYPES
from eximious.config.option import Options
from eximious.errors import ConfigError, Place
from eximious.expand.condition import Condition
from eximious.expand.nodes import Node
from eximious.expand.template import Template, compile
from eximious.lists.base import MatchList

# Options that are split into words or rules before these are expanded.
SPLIT_FIRST = frozenset({"command", "route_list", "server_prompts", "server_send", "client_send"})


class Text:
    """One string. `holder` is the Options or ACL item or named list that has it; `option` its name there."""

    __slots__ = ("holder", "is_list", "option", "place", "template")

    def __init__(
        self, template: Template, place: Place | None, option: str, holder: Any, *, is_list: bool = False
    ) -> None:
        self.template = template
        self.place = place  # of the first character
        self.option = option
        self.holder = holder
        self.is_list = is_list

    def place_of(self, part: str) -> Place | None:
        """Where the part of the text stands; the beginning if it cannot be found."""
        return None if self.place is None else self.place.at(max(0, self.template.source.find(part)))


def texts(config: Configuration) -> Iterator[Text]:
    """All of them."""
    for options in instances(config):
        yield from _of_options(options)
    for _, key, _ in TYPES.values():
        for named in config.named_lists[key].values():
            yield Text(named.list.template, named.place, f"{named.kind} {named.name}", named, is_list=True)
    for acl in config.acls.values():
        for statement in acl.statements:
            for item in statement.items:
                text = _of_item(item)
                if text is not None:
                    yield text
    for rule in config.rewrite_rules:
        if rule.replacement is not None:
            yield Text(rule.replacement, None, "rewriting rule", rule)


def instances(config: Configuration) -> list[Options]:
    """Everything with options."""
    return [config.main, *config.routers, *config.transports.values(), *config.authenticators]


def _of_options(options: Options) -> Iterator[Text]:
    for name, given in options.given.items():
        option = options.options[name]
        if option.sets or option.later:
            continue
        if name in SPLIT_FIRST or option.kind.startswith("StartText"):
            yield Text(compile(given.text, given.place), given.place, name, options)
            continue
        try:
            value = getattr(options, option.field)
        except ConfigError:
            continue  # which is found, and said, by whoever compiles everything
        if isinstance(value, Template):
            yield Text(value, given.place, name, options)
        elif isinstance(value, MatchList):
            yield Text(value.template, given.place, name, options, is_list=True)


def _of_item(item: Item) -> Text | None:
    value = item.value if item.template is None else item.template
    if isinstance(value, Template):
        return Text(value, item.place, item.name, item)
    if isinstance(value, MatchList):
        return Text(value.template, item.place, item.name, item, is_list=True)
    return None


def parts(thing: Node | Condition) -> Iterator[Any]:
    """The nodes, conditions and templates that a node or condition is made of."""
    for owner in type(thing).__mro__:
        for slot in getattr(owner, "__slots__", ()):
            value = getattr(thing, slot, None)
            if isinstance(value, Node | Condition):
                yield value
            elif isinstance(value, Template):
                yield value.root
            elif isinstance(value, tuple | list):
                for one in value:
                    if isinstance(one, Node | Condition):
                        yield one
                    elif isinstance(one, Template):
                        yield one.root


def walk(thing: Node | Condition) -> Iterator[Any]:
    """The node or condition, and everything below it."""
    yield thing
    for part in parts(thing):
        yield from walk(part)


def function_name(node: Any) -> str:
    """The name of the function that a call node calls."""
    function = node.function
    while isinstance(function, partial):
        function = function.func
    return str(function.__name__)

"""Every string of a configuration that will be expanded, with what it is for and where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from eximious.acl.compiled import Item
from eximious.config.configuration import Configuration
from eximious.config.named_lists import TYPES
from eximious.config.option import Options
from eximious.errors import ConfigError, Place
from eximious.expand.condition import Condition, Not
from eximious.expand.header import HeaderValue
from eximious.expand.items.run import Run
from eximious.expand.nodes import Node
from eximious.expand.parse import Parser
from eximious.expand.template import Template, compile
from eximious.expand.variable import Variable
from eximious.lists.base import MatchList

# Options that are split into words or rules before these are expanded.
SPLIT_FIRST = frozenset({"command", "route_list", "server_prompts", "server_send", "client_send"})


class Text:
    """One string. `holder` is the Options or ACL item or named list that has it; `option` its name there."""

    __slots__ = ("_positions", "holder", "list", "option", "place", "template")

    def __init__(
        self, template: Template, place: Place | None, option: str, holder: Any, list: MatchList | None = None
    ) -> None:
        self.template = template
        self.place = place  # of the first character
        self.option = option
        self.holder = holder
        self.list = list  # if it is one of hosts, domains, local parts or addresses
        self._positions: Positions | None = None

    @property
    def is_list(self) -> bool:
        """True if it is a list of hosts, domains, local parts or addresses."""
        return self.list is not None

    @property
    def source(self) -> str:
        """The text as it is written."""
        return self.template.source

    @property
    def root(self) -> Node:
        """The tree of the text, each of whose nodes and conditions has a position."""
        return self._parsed().root

    def walk(self) -> Iterator[Any]:
        """All nodes and conditions of the text; nothing if it is constant."""
        if self.template.constant is None:
            yield from walk(self.root)

    def offset(self, thing: Any) -> int:
        """Where in the source a node or condition begins; 0 if that is not known."""
        return self._parsed().offsets.get(id(thing), 0)

    def place_of(self, part: str | Node | Condition) -> Place | None:
        """Where the node, or the first occurrence of the text, stands; the beginning if it cannot be found."""
        if self.place is None:
            return None
        offset = max(0, self.source.find(part)) if isinstance(part, str) else self.offset(part)
        return self.place.at(offset)

    def place_in(self, thing: Any, part: str) -> Place | None:
        """Where the text stands in the source of a node or condition."""
        if self.place is None:
            return None
        start = self.offset(thing)
        found = self.source.find(part, start)
        return self.place.at(start if found < 0 else found)

    def blanking(self, pattern: re.Pattern[str]) -> Text:
        """The same text, with blanks in place of what matches."""
        blanked = compile(pattern.sub(lambda found: " " * len(found[0]), self.source))
        return Text(blanked, self.place, self.option, self.holder, self.list)

    def _parsed(self) -> Positions:
        if self._positions is None:
            self._positions = Positions(self.source)
        return self._positions


class Positions(Parser):
    """A parser that remembers where everything begins. Every use of a variable is a node of its own."""

    __slots__ = ("offsets", "root")

    shares = False

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.offsets: dict[int, int] = {}  # by id of the node or condition
        self.root = self.whole()

    def on_condition(self, condition: Condition, start: int) -> Condition:
        """A condition has been read."""
        self.offsets[id(condition)] = start
        if isinstance(condition, Not):
            self.offsets.setdefault(id(condition.condition), start)
        return condition

    def _reference(self, found: re.Match[str]) -> Node:
        node = super()._reference(found)
        if isinstance(node, Variable | HeaderValue):
            node = copy(node)
        start = self.offsets[id(node)] = found.end(1)
        if isinstance(node, Run):
            for word in node.words or ():
                if word.constant is None:
                    start = self._word(word, start)
        return node

    def _word(self, word: Template, start: int) -> int:
        """Follow a word of a command, which stands somewhere after `start`; where it ends."""
        inner = Positions(word.source)
        start = max(start, self.text.find(word.source, start))
        self.offsets.update((key, start + offset) for key, offset in inner.offsets.items())
        word.root = inner.root
        return start + len(word.source)


_texts: WeakKeyDictionary[Configuration, list[Text]] = WeakKeyDictionary()


def texts(config: Configuration) -> list[Text]:
    """All of them; each is parsed once, for all checks."""
    found = _texts.get(config)
    if found is None:
        found = _texts[config] = list(_all(config))
    return found


def _all(config: Configuration) -> Iterator[Text]:
    for options in instances(config):
        yield from _of_options(options)
    for _, key, _ in TYPES.values():
        for named in config.named_lists[key].values():
            yield Text(named.list.template, named.place, f"{named.kind} {named.name}", named, named.list)
    for acl in config.acls.values():
        for statement in acl.statements:
            for item in statement.items:
                text = _of_item(item)
                if text is not None:
                    yield text
    for rule in config.rewrite_rules:
        if rule.replacement is not None:
            yield Text(rule.replacement, rule.place, "rewriting rule", rule)


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
            yield Text(value.template, given.place, name, options, value)


def _of_item(item: Item) -> Text | None:
    value = item.value if item.template is None else item.template
    if isinstance(value, Template):
        return Text(value, item.place, item.name, item)
    if isinstance(value, MatchList):
        return Text(value.template, item.place, item.name, item, value)
    return None


def parts(thing: Node | Condition) -> Iterator[Any]:
    """The nodes, conditions and templates that a node or condition is made of."""
    for owner in type(thing).__mro__:
        for slot in getattr(owner, "__slots__", ()):
            value = getattr(thing, slot, None)
            for one in value if isinstance(value, tuple | list) else (value,):
                part = one.root if isinstance(one, Template) else one
                if isinstance(part, Node | Condition):
                    yield part


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

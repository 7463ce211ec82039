"""Names in ACLs and in strings that are the names of nothing: lists, ACLs, Python modules."""

from __future__ import annotations

import importlib.machinery
import re
from collections.abc import Iterator
from typing import Any, Final

from eximious.cli.checks.strings import Text, function_name, texts
from eximious.config.configuration import Configuration
from eximious.config.lists import split
from eximious.config.review import unknown_items
from eximious.errors import ConfigError, Place, did_you_mean
from eximious.expand.condition import ContextTest
from eximious.expand.conditions.acl import AclAccepts
from eximious.expand.items.lookup import Lookup
from eximious.expand.nodes import ContextCall, Literal, Node
from eximious.lists.base import MatchList

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_VERBS: Final = frozenset({"accept", "defer", "deny", "discard", "drop", "require", "warn"})


def unknown_names(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each."""
    yield from _lists_in_acls(config)
    for text in texts(config):
        if text.option == "acl" and text.template.constant is not None:
            yield from _acl(config, text.template.constant, text.place)
        if text.template.constant is None:
            for node in text.walk():
                yield from _in_node(config, node, text)


def _lists_in_acls(config: Configuration) -> Iterator[ConfigError]:
    for acl in config.acls.values():
        for statement in acl.statements:
            for item in statement.items:
                if isinstance(item.value, MatchList):
                    yield from unknown_items(config, item.value.registry, item.source, item.place)


def _in_node(config: Configuration, node: Any, text: Text) -> Iterator[ConfigError]:
    if isinstance(node, Lookup):
        yield from _options(node, text)
        return
    if isinstance(node, ContextCall | ContextTest) and function_name(node) in ("listnamed", "inlist", "inlisti"):
        yield from _list_names(config, node, text)
        return
    if isinstance(node, AclAccepts) or (isinstance(node, ContextCall) and function_name(node) in ("acl", "python")):
        name = node.arguments[0]
    else:
        return
    if not isinstance(name, Literal):
        return
    place = text.place_of(name.constant)
    if isinstance(node, ContextCall) and function_name(node) == "python":
        yield from _module(config, name, place)
    else:
        yield from _acl(config, name.constant, place)


def _options(node: Lookup, text: Text) -> Iterator[ConfigError]:
    """Options of a lookup that it does not have."""
    lookup = node.spec.lookup
    known = ("cache", "ret", *lookup.options)
    for name in node.spec.options:
        if name not in known:
            message = f'the lookup type {lookup.name} has no option "{name}"'
            comma = text.place_in(node, f",{name}")
            yield ConfigError(message, None if comma is None else comma.at(1), did_you_mean(name, known))


def _list_names(config: Configuration, node: Any, text: Text) -> Iterator[ConfigError]:
    """Names of lists for ``${listnamed``, and where they are no names: in ``inlist``."""
    name = node.arguments[-1].constant
    if name is None:
        return
    known = {known for lists in config.named_lists.values() for known in lists}
    if function_name(node) == "listnamed":
        if name.removeprefix("+") not in known:
            yield ConfigError(f'there is no list "{name}"', text.place_in(node, name), did_you_mean(name, known))
        return
    for item in split(name):
        if item.startswith("+") and item[1:] in known:
            message = f"{function_name(node)} knows no named lists: {item} is a text here"
            yield ConfigError(message, text.place_in(node, item), "match_domain, match_ip and match_address know them")


def _acl(config: Configuration, text: str, place: Place | None) -> Iterator[ConfigError]:
    """The name of an ACL, perhaps with arguments; text with more in it is an ACL itself, or a file."""
    name = text.split()[0] if text.split() else ""
    if _NAME.match(name) and name not in config.acls and name not in _VERBS:
        yield ConfigError(f'there is no ACL "{name}"', place, did_you_mean(name, config.acls))


def _module(config: Configuration, name: Node, place: Place | None) -> Iterator[ConfigError]:
    """The module of a function for ``${python``, which is looked for, but not imported."""
    module = str(name.constant).rpartition(".")[0]
    path, startup = config.main.python_path, config.main.python_startup
    if not path and not startup:
        yield ConfigError("${python needs a setting of python_path or python_startup", place)
    elif module and module not in (startup or ()):
        top = module.partition(".")[0]
        if importlib.machinery.PathFinder.find_spec(top, path or []) is None:
            yield ConfigError(f'there is no module "{module}" in python_path', place)

"""Items of lists that can match nothing: not an address, in pieces, without a separator, or lists in a circle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from eximious.cli.checks.finding import Finding
from eximious.cli.checks.strings import Text, texts
from eximious.config.configuration import Configuration
from eximious.config.errors import LONGEST_SHOWN
from eximious.config.lists import separator, split
from eximious.config.review import unknown_items
from eximious.errors import ConfigError, Place
from eximious.expand.conditions.match_list import MatchAddress
from eximious.expand.conditions.match_list import MatchList as MatchCondition
from eximious.lists.base import MatchList, NamedPattern, Unusable
from eximious.lists.host import NamedHost, Nameless, Network
from eximious.lookups.base import find_lookup, unknown

# What is meant to be an address or a network, or a part of one that fell into pieces at its colons.
_NUMERIC: Final = re.compile(r"[0-9.]+(?:/[0-9.]*)?\Z|(?=.*[:])[0-9a-fA-F:.]+(?:/[0-9]*)?\Z")
_TYPE: Final = re.compile(r"(?:net\d*-)?(?:partial\d*(?:\([^)]*\)|-))?([A-Za-z0-9_]+)(?:\*@?)?(?:,[^;]*)?;")


def list_items(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each."""
    for text in texts(config):
        if text.list is not None and text.template.constant is not None:
            yield from _in(config, text, text.list, text.template.constant)
        for thing in text.walk():
            if isinstance(thing, MatchCondition | MatchAddress):
                yield from _in_condition(config, text, thing)
    yield from _in_rules(config)
    yield from _circles(config)


def _in_condition(config: Configuration, text: Text, condition: Any) -> Iterator[ConfigError]:
    """The list of ``match_domain`` and its kin."""
    owner = condition.items
    constant = owner.template.constant
    if constant is None:
        return
    place = text.place_in(condition, condition.source)
    yield from unknown_items(config, owner.registry, constant, place)
    yield from _in(config, Text(owner.template, place, "", text.holder, owner), owner, constant)


def _in_rules(config: Configuration) -> Iterator[ConfigError]:
    """The patterns of retry and rewriting rules."""
    for rule in (*config.retry_rules, *config.rewrite_rules):
        for name in ("pattern", "senders", "addresses"):
            owner = getattr(rule, name, None)
            if isinstance(owner, MatchList) and owner.template.constant is not None:
                text = Text(owner.template, rule.place, "", rule, owner)
                for fault in _in(config, text, owner, owner.template.constant):
                    fault.place = _line_of(rule.place)  # the pattern has been taken apart
                    yield fault


def _line_of(place: Place | None) -> Place | None:
    """The beginning of the line."""
    if place is None:
        return None
    return Place(place.file, place.line, len(place.text) - len(place.text.lstrip()) + 1, place.text)


def _in(config: Configuration, text: Text, owner: MatchList, written: str) -> Iterator[ConfigError]:
    start = 0
    for item in split(written):
        name = item.lstrip("! \t")
        found = text.source.find(name, start)
        start = max(start, found)
        place = text.place.at(max(0, found)) if text.place is not None else None
        fault = _without_plus(config, text, name, place) or _item(owner, item, name, place, separator(written)[0])
        if fault is not None:
            yield fault
            if ":" in name:
                return  # the rest of the address would be next


def _without_plus(config: Configuration, text: Text, name: str, place: Place | None) -> ConfigError | None:
    """The name of a list that lacks its plus sign."""
    named = None if text.list is None else config.named_lists[text.list.registry].get(name)
    if named is None or named is text.holder or "." in name:
        return None
    message = f'"{name}" is the name of a list, but without a plus sign it stands for itself'
    return Finding(message, place, f"write +{name}", name, f"+{name}")


def _item(owner: MatchList, item: str, name: str, place: Place | None, mark: str) -> ConfigError | None:
    made = owner.item_of(item)
    if made is None or made.pattern is None:
        return None
    pattern: Any = made.pattern
    if isinstance(pattern, Unusable):
        found = _TYPE.match(name)
        is_unknown = found is not None and find_lookup(found[1]) is None
        hint = unknown(found[1]).hint if found and is_unknown else ""
        if not hint and pattern.why.startswith("unknown lookup type") and mark != ";":
            hint = 'to separate items with ";", begin the list with "<;"'
        return ConfigError(pattern.why, place, hint)
    if isinstance(pattern, NamedHost | Nameless) and _NUMERIC.match(name):
        is_cut = ":" in name and mark == ":"
        hint = 'double the colons of the address, or begin the list with "<;" and separate with ";"' if is_cut else ""
        return ConfigError(f'"{name}" is neither an IP address nor a network', place, hint)
    if isinstance(pattern, Network) and _is_too_long(name):
        return ConfigError(f'the mask in "{name}" is longer than the address', place)
    if owner.kind in ("host", "domain") and re.search(r"[\s,]", name) and ";" not in name and name[:1] not in "^/":
        message = f'"{name[:LONGEST_SHOWN]}" is one item, and can never match'
        hint = "a # begins a comment only at the start of a line" if "#" in name else f'items are separated by "{mark}"'
        return ConfigError(message, place, hint)
    return None


def _is_too_long(network: str) -> bool:
    """True if a network's mask has more bits than its addresses."""
    address, _, bits = network.partition("/")
    return bits.isdecimal() and int(bits) > (128 if ":" in address else 32)


def _circles(config: Configuration) -> Iterator[ConfigError]:
    """Named lists that refer to themselves, perhaps through others."""
    for lists in config.named_lists.values():
        references = {name: _references(named) for name, named in lists.items()}
        for name, named in lists.items():
            if _reaches(references, name, name):
                yield ConfigError(f"the {named.kind} {name} refers to itself", named.name_place)


def _references(named: Any) -> set[str]:
    """The names of lists in a list that is not expanded."""
    constant = named.list.template.constant
    if constant is None:
        return set()
    made = (named.list.item_of(item) for item in split(constant))
    return {item.pattern.name for item in made if item is not None and isinstance(item.pattern, NamedPattern)}


def _reaches(references: dict[str, set[str]], start: str, goal: str) -> bool:
    seen: set[str] = set()
    waiting = list(references.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting += references.get(name, ())
    return False

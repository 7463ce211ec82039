"""Named lists: ``domainlist NAME = ...`` and its relatives in the main part of the file."""

from __future__ import annotations

import importlib
import re
from typing import Any, Final

from eximious.config.configuration import Configuration
from eximious.config.errors import Faults
from eximious.config.lines import Line
from eximious.config.settings import read_string
from eximious.errors import ConfigError, Place

# Word -> name in messages, key in Configuration.named_lists, module that compiles such lists.
TYPES: Final = {
    "addresslist": ("address", "address", "eximious.lists.address"),
    "domainlist": ("domain", "domain", "eximious.lists.domain"),
    "hostlist": ("host", "host", "eximious.lists.host"),
    "localpartlist": ("local part", "localpart", "eximious.lists.local_part"),
}
_START: Final = re.compile(r"(hide\s+)?(addresslist|domainlist|hostlist|localpartlist)")
_NAME: Final = re.compile(r"(_cache)?\s+(\w*)\s*", re.ASCII)


class NamedList:
    """A named list; its text is compiled when it is first used."""

    __slots__ = ("_compiled", "is_cached", "is_hidden", "kind", "name", "name_place", "place", "text")

    def __init__(self, kind: str, name: str, text: str, place: Place | None, is_cached: bool, is_hidden: bool) -> None:
        self.kind = kind  # "domainlist", ...
        self.name = name
        self.text = text
        self.place = place  # of the first character of the text
        self.name_place: Place | None = None
        self.is_cached = is_cached  # results may be cached although the list is expanded each time
        self.is_hidden = is_hidden
        self._compiled: Any = None

    @property
    def list(self) -> Any:
        """The compiled list: an eximious.lists DomainList, HostList, AddressList or LocalPartList."""
        if self._compiled is None:
            self._compiled = importlib.import_module(TYPES[self.kind][2]).compile(self.text, self.place)
        return self._compiled


def read_named_list(line: Line, config: Configuration, faults: Faults) -> bool:
    """Take the line if it defines a named list; False if it does not."""
    start = _START.match(line.text)
    if start is None:
        return False
    try:
        _add(line, start, config)
    except ConfigError as error:
        faults.take(error, line.place())
    return True


def _add(line: Line, start: re.Match[str], config: Configuration) -> None:
    text = line.text
    kind = start[2]
    found = _NAME.match(text, start.end())
    if found is None:
        raise ConfigError("unrecognized configuration line", line.place())
    name = found[2]
    if text[found.end() : found.end() + 1] != "=":
        raise ConfigError(f"missing '=' after \"{name}\"", line.place(found.end()))
    if not name:
        raise ConfigError(f"missing name for a {kind}", line.place(found.end()))
    word, key, _ = TYPES[kind]
    lists = config.named_lists[key]
    if name in lists:
        raise ConfigError(f'duplicate name "{name}" for a named {word} list', line.place(found.start(2)))
    value_start = found.end() + 1
    while value_start < len(text) and text[value_start] in " \t":
        value_start += 1
    value, place = read_string(line, value_start, name)
    named = NamedList(kind, name, value, place, found[1] is not None, start[1] is not None)
    named.name_place = line.place(found.start(2))
    lists[name] = named

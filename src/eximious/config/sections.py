"""The sections of a configuration file: who reads each, and how they get its lines."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from eximious.config.definitions import define_macro, is_definition
from eximious.config.errors import Faults
from eximious.config.lines import Line
from eximious.config.reader import SPACES, Reader
from eximious.errors import ConfigError, Place, did_you_mean

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration

# Section -> module and function that reads it: function(section, configuration).
READERS: dict[str, str] = {
    "acl": "eximious.acl.section:read",
    "authenticators": "eximious.config.drivers:read_authenticators",
    "local_scan": "eximious.config.local_scan:read",
    "retry": "eximious.retry.section:read",
    "rewrite": "eximious.rewrite.section:read",
    "routers": "eximious.config.drivers:read_routers",
    "transports": "eximious.config.drivers:read_transports",
}

ALIASES: dict[str, str] = {"acls": "acl"}


class Section:
    """The logical lines of one section, one at a time, so that macros defined between them count for the rest."""

    def __init__(self, name: str, reader: Reader, faults: Faults) -> None:
        self.name = name
        self.faults = faults
        self._reader = reader

    def next(self) -> Line | None:
        """The next line, or None at the end of the section."""
        line = self._reader.next()
        if line is not None and begins_section(line):
            self._reader.push_back(line)
            return None
        return line

    def __iter__(self) -> Iterator[Line]:
        """The lines that are left."""
        while (line := self.next()) is not None:
            yield line

    def push_back(self, line: Line) -> None:
        """`next` shall give this line again."""
        self._reader.push_back(line)

    def is_definition(self, line: Line) -> bool:
        """True if the line defines a macro (it begins with an upper-case letter)."""
        return is_definition(line)

    def define(self, line: Line) -> None:
        """Define the macro that the line defines; what is wrong with it becomes a fault."""
        define_macro(line, self._reader.macros, self.faults)

    def fault(self, message: str, place: Place | None = None, hint: str = "") -> None:
        """Note a fault; reading goes on, so that others are found too."""
        self.faults.add(message, place, hint)

    def warn(self, message: str, place: Place | None = None, hint: str = "") -> None:
        """Note something with which Exim would work, but that will fail when it is used."""
        self.faults.warn(ConfigError(message, place, hint))


def begins_section(line: Line) -> bool:
    """True for ``begin NAME``, in letters of either case, with a space."""
    return line.text[:6].lower() == "begin "


def section_name(line: Line) -> str:
    """The name in a line that begins a section."""
    return line.text[6:].strip(SPACES)


def read_sections(reader: Reader, faults: Faults, config: Configuration) -> None:
    """Read everything after the main part of the file into the configuration."""
    seen: set[str] = set()
    while (line := reader.next()) is not None:
        written = section_name(line)
        name = ALIASES.get(written.lower(), written.lower())
        place = line.place(line.text.find(written, 6))
        section = Section(name, reader, faults)
        if name not in READERS:
            faults.add(f'"{written}" is not a known configuration section name', place, did_you_mean(name, READERS))
        elif name in seen:
            faults.add(f'"{name}" section is repeated in the configuration file', place)
        if name not in READERS or name in seen:
            for _ in section:
                pass
            continue
        seen.add(name)
        try:
            _function(READERS[name])(section, config)
        except ConfigError as error:
            faults.take(error, place)
            for _ in section:
                pass


def _function(path: str) -> Callable[[Section, Configuration], Any]:
    """The function that a dotted name stands for: readers are in higher layers, and imported when needed."""
    module, _, name = path.partition(":")
    function: Callable[[Section, Configuration], Any] = getattr(importlib.import_module(module), name)
    return function

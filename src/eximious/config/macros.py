"""Macros of a configuration file: ordered names and their texts, replaced in physical lines.

Exim specification, "Macros in the configuration file": a line is searched for each macro in turn, in the order in which
they were first defined; text that a macro brought in is searched for later macros only.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from eximious.errors import ConfigError

NAME_LIMIT = 63  # characters in a name, as in Exim
EXPANSION_LIMIT = 1 << 24  # characters in one line after replacement; macros that double each other stop here
_STARTS = re.compile("[A-Z]")
_CANDIDATE = re.compile("_?[A-Z]")  # where a macro's name may begin; built-in ones only count if the first has "_"
_BUILT_IN = re.compile("_[A-Z][A-Za-z0-9_]*")


class Macro:
    """One macro."""

    __slots__ = ("from_command_line", "name", "order", "text")

    def __init__(self, name: str, text: str, order: int, from_command_line: bool) -> None:
        self.name = name
        self.text = text
        self.order = order
        self.from_command_line = from_command_line  # then definitions in the file do not count


class Macros:
    """All macros defined so far."""

    def __init__(
        self,
        built_in: Callable[[str], str | None] | None = None,
        is_missing: Callable[[str], bool] = lambda name: False,
    ) -> None:
        self._macros: dict[str, Macro] = {}
        self._by_start: dict[str, list[Macro]] = {}  # by the first two characters, or the only one, of the name
        self._built_in = built_in  # name -> text; None if there is no such macro
        self._is_missing = is_missing  # the macro would be there if this version had the feature

    def values(self) -> dict[str, str]:
        """Name and present text of each, in order of definition."""
        return {macro.name: macro.text for macro in self._macros.values()}

    def define(self, name: str, text: str, *, from_command_line: bool = False) -> None:
        """Add a macro. Raises ConfigError if it exists, or if an older macro's name is part of its name."""
        existing = self._macros.get(name)
        if existing is not None and existing.from_command_line:
            return
        if existing is not None:
            raise ConfigError(f'macro "{name}" is already defined (use "==" if you want to redefine it)')
        part = self._part_of(name)
        if part is not None:
            raise ConfigError(
                f'"{name}" cannot be defined as a macro because previously defined macro "{part}" is a substring',
                hint=f"define {name} before {part}, or rename one of them",
            )
        macro = Macro(name, text, len(self._macros), from_command_line)
        self._macros[name] = macro
        self._by_start.setdefault(name[:2], []).append(macro)

    def redefine(self, name: str, text: str) -> None:
        """Change a macro's text; its turn stays. Raises ConfigError if it does not exist."""
        macro = self._macros.get(name)
        if macro is None:
            raise ConfigError(f'can\'t redefine an undefined macro "{name}"')
        if not macro.from_command_line:
            macro.text = text

    def _part_of(self, name: str) -> str | None:
        found = self._first(name, 0, -1)
        if found is not None:
            return found.name
        built_in = self._built_in_at(name, 0)
        return None if built_in is None else built_in[1]

    def replace(self, text: str, start: int = 0) -> tuple[str, list[int] | None]:
        """The text with macros replaced from `start` on, and the column of each character; None if none was found.

        Columns count from 0 in the given text; all characters that a macro brought in have the column of its name.
        """
        columns: list[int] | None = None
        first = _CANDIDATE.search(text, start)
        if first is None:
            return text, None
        found = self._built_in_at(text, start) if text[first.start()] == "_" else None
        while found is not None:
            position, name, value = found
            text, columns = _put(text, columns, [position], len(name), value)
            found = self._built_in_at(text, position + len(value))
        order = -1
        while self._macros:
            macro = self._first(text, start, order)
            if macro is None:
                break
            order = macro.order
            positions = _positions(text, macro.name, start)
            if len(text) + len(positions) * len(macro.text) > EXPANSION_LIMIT:
                raise ConfigError(f'replacing macro "{macro.name}" makes the line too long')
            text, columns = _put(text, columns, positions, len(macro.name), macro.text)
        return text, columns

    def _first(self, text: str, start: int, after: int) -> Macro | None:
        """The macro with the lowest order above `after` whose name stands in the text."""
        first: Macro | None = None
        for match in _STARTS.finditer(text, start):
            position = match.start()
            for key in (text[position : position + 2], text[position]):
                for macro in self._by_start.get(key, ()):
                    if macro.order <= after or (first is not None and macro.order >= first.order):
                        continue
                    if text.startswith(macro.name, position):
                        first = macro
        return first

    def _built_in_at(self, text: str, start: int) -> tuple[int, str, str] | None:
        """Position, name and text of the first built-in macro; of several that start there, the longest.

        The name of a feature that is missing is not searched for shorter names: that ``_HAVE_TLS`` is there must not
        make ``.ifdef _HAVE_TLS_RESUME`` true.
        """
        if self._built_in is None:
            return None
        for match in _BUILT_IN.finditer(text, start):
            name = match.group()
            while len(name) > 4 and not self._is_missing(name):
                value = self._built_in(name)
                if value is not None:
                    return match.start(), name, value
                name = name[:-1]
        return None


def _positions(text: str, name: str, start: int) -> list[int]:
    positions = []
    position = text.find(name, start)
    while position >= 0:
        positions.append(position)
        position = text.find(name, position + len(name))
    return positions


def _put(text: str, columns: list[int] | None, positions: list[int], length: int, value: str) -> tuple[str, list[int]]:
    """Put the value in place of `length` characters at each of the positions; carry the columns along."""
    if columns is None:
        columns = list(range(len(text)))
    texts: list[str] = []
    moved: list[int] = []
    done = 0
    for position in positions:
        texts += text[done:position], value
        moved += columns[done:position]
        moved += [columns[position]] * len(value)
        done = position + length
    texts.append(text[done:])
    moved += columns[done:]
    return "".join(texts), moved

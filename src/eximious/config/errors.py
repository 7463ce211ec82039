"""Faults of a configuration as text: in Exim's own words on standard error, and with a caret for a person.

Exim stops at the first fault; here all of them are collected, and the first is the one that Exim would name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.errors import ConfigError, ConfigErrors, Place

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration


LONGEST_SHOWN: Final = 160  # characters of a line


class Fault(ConfigError):
    """A fault for which Exim names no file and line.

    `whose` is ``r1 router``, or empty; a `bare` one does not even begin with ``Exim configuration error``.
    """

    def __init__(
        self, message: str, place: Place | None = None, hint: str = "", whose: str = "", *, bare: bool = False
    ) -> None:
        super().__init__(message, place, hint)
        self.whose = whose
        self.bare = bare


class Faults:
    """What a reading of a configuration collects."""

    LIMIT = 1000  # beyond that nobody reads on

    def __init__(self) -> None:
        self.found: list[ConfigError] = []
        self.warnings: list[ConfigError] = []

    def add(self, message: str, place: Place | None = None, hint: str = "") -> None:
        """Note a fault."""
        self.take(ConfigError(message, place, hint))

    def take(self, error: ConfigError, place: Place | None = None) -> None:
        """Note a fault that was raised; `place` is used if it does not know its own."""
        if isinstance(error, ConfigErrors):
            for fault in error.faults:
                self.take(fault, place)
            return
        if error.place is None:
            error.place = place
        self.found.append(error)
        if len(self.found) >= self.LIMIT:
            raise ConfigErrors(self.found)

    def warn(self, warning: ConfigError) -> None:
        """Note something that a postmaster should know, but with which Exim works."""
        self.warnings.append(warning)

    def raise_if_any(self, config: Configuration | None = None) -> None:
        """Raise ConfigErrors if any fault was found; `config` is what could be read."""
        if self.found:
            errors = ConfigErrors(self.found)
            errors.config = config
            raise errors


def as_exim_says(error: ConfigError) -> str:
    """The fault as Exim prints it: ``Exim configuration error in line 3 of FILE:`` and an indented message."""
    if isinstance(error, ConfigErrors):
        error = error.faults[0]
    if isinstance(error, Fault):
        if error.bare:
            return error.message
        where = f" for {error.whose}" if error.whose else ""
    elif error.place is not None:
        where = f" in line {error.place.last_line} of {error.place.file}"
    else:
        where = ""
    return f"Exim configuration error{where}:\n  {error.message}"


def with_caret(error: ConfigError) -> str:
    """The fault with its line and a caret below the spot, and what was probably meant."""
    place = error.place
    message = " ".join(map(str.strip, error.message.split("\n")))
    if place is None:
        return message + (f" ({error.hint})" if error.hint else "")
    lines = [f"{place}: {message}"]
    text = place.text.expandtabs(1)
    if text.strip():
        shown, indent = _window(text, place.column)
        lines.append(f"    {shown}")
        if place.column > indent:
            caret = " " * (place.column - 1 - indent) + "^"
            lines.append(f"    {caret} {error.hint}".rstrip())
        elif error.hint:
            lines.append(f"    {error.hint}")
    elif error.hint:
        lines.append(f"    {error.hint}")
    return "\n".join(lines)


def _window(text: str, column: int) -> tuple[str, int]:
    """What is shown of a line, and how many of its characters are left out at its beginning (less dots)."""
    indent = len(text) - len(text.lstrip())
    text = text.rstrip()
    if len(text) - indent <= LONGEST_SHOWN:
        return text[indent:], indent
    start = max(indent, min(column - 1 - LONGEST_SHOWN // 2, len(text) - LONGEST_SHOWN))
    before = "..." if start > indent else ""
    after = "..." if start + LONGEST_SHOWN < len(text) else ""
    return before + text[start : start + LONGEST_SHOWN] + after, start - len(before)

"""Strings that are expanded: parsed once, evaluated often. (Chapter "String expansions" of Exim's specification.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.errors import ConfigError, Place


class Template:
    """A compiled string. `compile` makes one; a string with a fault compiles, and fails when it is expanded."""

    __slots__ = ("constant", "faults", "root", "source")

    def expand(self, context: Context) -> str:
        """The expanded text (a `Tainted` if any part was). Raises ExpandError, ForcedFail or Defer."""
        raise NotImplementedError


def compile(text: str, place: Place | None = None) -> Template:
    """Parse a string. Never raises for faults in it: they are in `faults`, with places, for whoever reads the file."""
    raise NotImplementedError


def expand(text: str, context: Context) -> str:
    """Compile (with a cache) and expand in one step, for text that is not in the configuration."""
    return compile(text).expand(context)


__all__ = ["Template", "compile", "expand"]

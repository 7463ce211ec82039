"""``.ifdef`` and its relatives: which physical lines of a configuration file count.

A condition holds if a macro was replaced in the directive's line. (Exim specification, "Conditional skips".)
"""

from __future__ import annotations

from typing import Final

from eximious.errors import ConfigError

# What a branch of a conditional is: lines count; an earlier branch has counted or an outer conditional skips, so none
# of the rest can; or none has counted yet, so a later one may.
TAKEN: Final = 0
DONE: Final = 1
WAITING: Final = 2

# Longer names first: a directive's name needs no white space after it.
DIRECTIVES: Final = (".ifdef", ".ifndef", ".elifdef", ".elifndef", ".else", ".endif")


class Conditionals:
    """The conditionals that are open at a line."""

    __slots__ = ("_states", "is_skipping")

    def __init__(self) -> None:
        self._states: list[int] = []
        self.is_skipping = False

    def at_end(self) -> bool:
        """True if none is open."""
        return not self._states

    def obey(self, text: str, has_macro: bool) -> bool:
        """Follow the directive that the text begins with; False if it does not begin with one."""
        for directive in DIRECTIVES:
            if text.startswith(directive):
                break
        else:
            return False
        if directive in (".ifdef", ".ifndef"):
            holds = has_macro == (directive == ".ifdef")
            self._states.append(DONE if self.is_skipping else TAKEN if holds else WAITING)
        elif not self._states:
            raise ConfigError(f"{directive} without matching .ifdef")
        elif directive == ".endif":
            self._states.pop()
        else:
            holds = directive == ".else" or has_macro == (directive == ".elifdef")
            state = self._states[-1]
            self._states[-1] = DONE if state != WAITING else TAKEN if holds else WAITING
        self.is_skipping = bool(self._states) and self._states[-1] != TAKEN
        return True

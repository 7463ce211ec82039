"""Lists whose items are expanded one by one: split first, compiled once, expanded each time."""

from __future__ import annotations

from eximious.config.lists import split
from eximious.expand.template import Template, compile


def templates(option: Template | None, separator: str = ":") -> list[Template]:
    """The items of an option that is a list, each compiled; empty items are left out."""
    if option is None:
        return []
    return [compile(item) for item in split(option.source, separator) if item]

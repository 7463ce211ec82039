"""An access control list as it is run: statements of a verb and its conditions and modifiers, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from eximious.acl.declare import Declaration
    from eximious.errors import ConfigError, Place
    from eximious.expand.template import Template

VERBS: Final = frozenset({"accept", "defer", "deny", "discard", "drop", "require", "warn"})
WITH_ENDPASS: Final = frozenset({"accept", "discard"})

UNKNOWN: Final = object()  # in place of an argument's value: to be found out each time


class Item:
    """One condition or modifier with its argument."""

    __slots__ = ("declaration", "function", "name", "negated", "parse", "place", "source", "template", "value")

    def __init__(self, declaration: Declaration, source: str, place: Place | None, *, negated: bool) -> None:
        self.declaration = declaration
        self.name = declaration.name
        self.function = declaration.function
        self.source = source  # the argument as written
        self.place = place
        self.negated = negated
        self.value: Any = UNKNOWN  # the argument's value, if it is always the same
        self.template: Template | None = None  # otherwise: what to expand ...
        self.parse: Any = declaration.argument.parse  # ... and what makes a value of it

    def __repr__(self) -> str:
        return f"{'!' if self.negated else ''}{self.name} = {self.source}"


class Statement:
    """A verb with what belongs to it."""

    __slots__ = ("endpass_at", "items", "place", "verb")

    def __init__(self, verb: str, place: Place | None) -> None:
        self.verb = verb
        self.place = place
        self.items: list[Item] = []
        self.endpass_at = -1  # the index of the first item after ``endpass``; -1 if there is none


class Acl:
    """A named, inline or file ACL. `faults` are strings in it that will fail if they are reached."""

    __slots__ = ("faults", "name", "place", "statements")

    def __init__(self, name: str, place: Place | None = None) -> None:
        self.name = name  # "" for an inline ACL
        self.place = place  # of the name
        self.statements: list[Statement] = []
        self.faults: list[ConfigError] = []

    def __repr__(self) -> str:
        return f"Acl({self.name!r}, {len(self.statements)} statements)"

"""A filter, parsed: commands with their arguments, and conditions."""

from __future__ import annotations

from typing import TypeAlias


class Test:
    """A string test, or one of the words that are tests by themselves."""

    __slots__ = ("is_caseful", "is_negated", "kind", "left", "right")

    def __init__(
        self, kind: str, left: str = "", right: str = "", *, is_caseful: bool = False, is_negated: bool = False
    ) -> None:
        self.kind = kind
        self.left = left  # as written; expanded when it is tested
        self.right = right
        self.is_caseful = is_caseful
        self.is_negated = is_negated


class Personal:
    """``personal``, with the user's other addresses."""

    __slots__ = ("aliases",)

    def __init__(self, aliases: list[str]) -> None:
        self.aliases = aliases


class ForAnyAddress:
    """``foranyaddress``: true if the condition is, for one address of a list."""

    __slots__ = ("addresses", "condition")

    def __init__(self, addresses: str, condition: Condition) -> None:
        self.addresses = addresses
        self.condition = condition


class Not:
    """The opposite."""

    __slots__ = ("condition",)

    def __init__(self, condition: Condition) -> None:
        self.condition = condition


class All:
    """All of several conditions, tested in order."""

    __slots__ = ("conditions",)

    def __init__(self, conditions: list[Condition]) -> None:
        self.conditions = conditions


class Any:
    """One of several."""

    __slots__ = ("conditions",)

    def __init__(self, conditions: list[Condition]) -> None:
        self.conditions = conditions


Condition: TypeAlias = Test | Personal | ForAnyAddress | Not | All | Any


class Command:
    """One command. What `arguments` holds depends on the name: see `eximious.filters.run`."""

    __slots__ = ("arguments", "branches", "flags", "name", "no_error", "seen")

    def __init__(self, name: str) -> None:
        self.name = name
        self.arguments: dict[str, str] = {}
        self.flags: set[str] = set()
        self.seen: bool | None = None  # "seen" or "unseen" before the command
        self.no_error = False
        # For "if": conditions with what is to be done; the condition of "else" is None.
        self.branches: list[tuple[Condition | None, list[Command]]] = []

"""``and`` and ``or``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, final

from eximious.errors import Defer, ExpandError
from eximious.expand.condition import Condition, add_words, missing_argument, parse_part, syntax
from eximious.expand.fault import Fault

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser


_BRACE = re.compile(r"[ \t\n\r\f\v]*([{}])")
_INSIDE: Final = {name: f' inside "{name}{{...}}" condition' for name in ("and", "or")}


@final
class And(Condition):
    """All hold; the first that does not ends it."""

    __slots__ = ("conditions",)

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self.conditions = tuple(conditions)

    def holds(self, context: Context) -> bool:
        try:
            for condition in self.conditions:
                if not condition.holds(context):
                    return False
        except (ExpandError, Defer) as error:
            add_words(error, _INSIDE["and"])
            raise
        return True


@final
class Or(Condition):
    """One holds; the first that does ends it. With nothing to choose from: false."""

    __slots__ = ("conditions",)

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self.conditions = tuple(conditions)

    def holds(self, context: Context) -> bool:
        try:
            for condition in self.conditions:
                if condition.holds(context):
                    return True
        except (ExpandError, Defer) as error:
            add_words(error, _INSIDE["or"])
            raise
        return False


@syntax("and", "or")
def parse_logic(parser: Parser, name: str) -> Condition:
    """``and{{condition}{condition}...}``."""
    parser.expect("{", missing_argument(name, 0))
    inside = _INSIDE[name]
    found: list[Condition] = []
    while (brace := _BRACE.match(parser.text, parser.at)) is not None:
        parser.at = brace.end()
        if brace[1] == "}":
            return And(found) if name == "and" else Or(found)
        found.append(parse_part(parser, inside))
        parser.expect("}", f'missing }} at end of condition inside "{name}" group')
    raise Fault(f'each subcondition inside an "{name}{{...}}" condition must be in its own {{}}', parser.at)

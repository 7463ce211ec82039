"""``${if condition {yes}{no}}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from eximious.expand.condition import Condition, parse_condition
from eximious.expand.item import syntax
from eximious.expand.nodes import TRUE, Node

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser


@final
class If(Node):
    """One of two strings. What a condition matched or found is visible in them, and forgotten afterwards."""

    __slots__ = ("condition", "no", "source", "yes")

    def __init__(self, condition: Condition, yes: Node, no: Node, source: str) -> None:
        self.condition = condition
        self.yes = yes
        self.no = no
        self.source = source  # the condition's text, for whoever looks

    def evaluate(self, context: Context) -> str:
        value, captures = context.lookup_value, context.captures
        try:
            holds = self.condition.holds(context)
            if context.trace is not None:
                context.trace.expand(f"condition {self.source.strip()} is {'true' if holds else 'false'}")
            return self.yes.evaluate(context) if holds else self.no.evaluate(context)
        finally:
            context.lookup_value, context.captures = value, captures


@syntax("if")
def parse_if(parser: Parser, name: str) -> Node:
    """A condition, and what to give if it holds and if not."""
    start = parser.at
    condition = parse_condition(parser)
    source = parser.text[start : parser.at]
    yes, no = parser.branches(name)
    return If(condition, TRUE if yes is None else yes, no, source)

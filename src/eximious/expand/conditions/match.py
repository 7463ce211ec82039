"""``match``: regular expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from eximious.errors import ExpandError
from eximious.expand.condition import Condition, builder
from eximious.expand.nodes import Node
from eximious.expand.regex import Pattern, compile

if TYPE_CHECKING:
    from eximious.context import Context


@final
class Match(Condition):
    """A constant pattern matches a text; what its groups caught is in ``$1`` and so on."""

    __slots__ = ("pattern", "subject")

    def __init__(self, subject: Node, pattern: Pattern) -> None:
        self.subject = subject
        self.pattern = pattern

    def holds(self, context: Context) -> bool:
        found = self.pattern.search(self.subject.evaluate(context))
        if found is None:
            return False
        context.captures = found
        return True


@final
class MatchExpanded(Condition):
    """The same with a pattern that is only known when it is needed."""

    __slots__ = ("pattern", "subject")

    def __init__(self, subject: Node, pattern: Node) -> None:
        self.subject = subject
        self.pattern = pattern

    def holds(self, context: Context) -> bool:
        subject = self.subject.evaluate(context)
        found = compile(self.pattern.evaluate(context)).search(subject)
        if found is None:
            return False
        context.captures = found
        return True


@builder("match", 2)
def match(subject: Node, pattern: Node) -> Condition:
    """``match{text}{regular expression}``."""
    if pattern.constant is not None:
        try:
            return Match(subject, compile(pattern.constant))
        except ExpandError:
            pass  # the error belongs to whoever evaluates it
    return MatchExpanded(subject, pattern)

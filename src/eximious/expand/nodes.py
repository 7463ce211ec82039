"""The tree that a parsed string becomes. Every node gives text; what varies is where the text comes from.

The evaluator is the busiest code of the program: small final classes with slots, no indirection that can be avoided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, final

from eximious.errors import ExpandError, ForcedFail
from eximious.taint import Tainted, made_of

if TYPE_CHECKING:
    from eximious.context import Context

LONGEST_RESULT: Final = 64 * 1024 * 1024  # octets of one expanded string; beyond it something is out of hand


class Node:
    """Part of a string. `constant` is its text if that can never change."""

    __slots__ = ()

    constant: str | None = None

    def evaluate(self, context: Context) -> str:
        """The text, `Tainted` if any of it came from outside. Raises ExpandError, ForcedFail or Defer."""
        raise NotImplementedError


@final
class Literal(Node):
    """Text that stands for itself."""

    __slots__ = ("constant",)

    def __init__(self, text: str) -> None:
        self.constant: str = text

    def evaluate(self, context: Context) -> str:
        return self.constant


EMPTY: Final = Literal("")
TRUE: Final = Literal("true")


@final
class Concatenation(Node):
    """Parts one after the other."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Node]) -> None:
        self.parts = tuple(parts)

    def evaluate(self, context: Context) -> str:
        texts = [part.evaluate(context) for part in self.parts]
        whole = "".join(texts)
        if len(whole) > LONGEST_RESULT:
            raise ExpandError("the expanded string is too long")
        for text in texts:
            if text.__class__ is Tainted:
                return made_of(whole, texts)
        return whole


@final
class Failure(Node):
    """A part that cannot be expanded, whatever the context: reaching it is the error."""

    __slots__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message = message

    def evaluate(self, context: Context) -> str:
        raise ExpandError(self.message)


@final
class Refusal(Node):
    """The word ``fail`` in place of a second string: the failure that the configuration asks for."""

    __slots__ = ("message",)

    def __init__(self, item: str) -> None:
        self.message = f'"{item}" failed and "fail" requested'

    def evaluate(self, context: Context) -> str:
        raise ForcedFail(self.message)


@final
class Call(Node):
    """The result of a function of the texts of other nodes."""

    __slots__ = ("arguments", "function", "is_clean")

    def __init__(self, function: Callable[..., str], arguments: Sequence[Node], is_clean: bool) -> None:
        self.function = function
        self.arguments = tuple(arguments)
        self.is_clean = is_clean  # the result is harmless, whatever the arguments were: a number, a digest

    def evaluate(self, context: Context) -> str:
        texts = [argument.evaluate(context) for argument in self.arguments]
        result = self.function(*texts)
        if self.is_clean:
            return result
        for text in texts:
            if text.__class__ is Tainted:
                return made_of(result, texts)
        return result


@final
class ContextCall(Node):
    """The same, for a function that also wants the context."""

    __slots__ = ("arguments", "function", "is_clean")

    def __init__(self, function: Callable[..., str], arguments: Sequence[Node], is_clean: bool) -> None:
        self.function = function
        self.arguments = tuple(arguments)
        self.is_clean = is_clean

    def evaluate(self, context: Context) -> str:
        texts = [argument.evaluate(context) for argument in self.arguments]
        result = self.function(context, *texts)
        if self.is_clean:
            return result
        for text in texts:
            if text.__class__ is Tainted:
                return made_of(result, texts)
        return result


class Choice(Node):
    """An item that finds something or not, followed by what to give in either case.

    `yes` is None where no string was given: then what was found is the result.
    """

    __slots__ = ("no", "yes")

    def __init__(self, yes: Node | None, no: Node) -> None:
        self.yes = yes
        self.no = no

    def find(self, context: Context) -> str | None:
        """What is there, or None."""
        raise NotImplementedError

    def evaluate(self, context: Context) -> str:
        value, captures = context.lookup_value, context.captures
        try:
            found = self.find(context)
            if found is None:
                context.lookup_value = None
                return self.no.evaluate(context)
            if self.yes is None:
                return found
            context.lookup_value = found
            return self.yes.evaluate(context)
        finally:
            context.lookup_value, context.captures = value, captures


def fold(node: Node) -> Node:
    """The node, or its text if it depends on nothing but constants and can be expanded."""
    arguments: Sequence[Any] = getattr(node, "arguments", ())
    if not isinstance(node, Call) or any(argument.constant is None for argument in arguments):
        return node
    try:
        return Literal(node.function(*[argument.constant for argument in arguments]))
    except ExpandError:
        return node

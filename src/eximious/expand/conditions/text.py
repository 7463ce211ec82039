"""Comparing texts; those with an ``i`` at the end take no notice of case."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from eximious.expand.condition import Condition, builder, condition
from eximious.expand.nodes import Node
from eximious.octets import lower

if TYPE_CHECKING:
    from eximious.context import Context


@builder("eq", 2)
@final
class Equal(Condition):
    """The texts are the same. (A class of its own, since no condition is tested more often.)"""

    __slots__ = ("one", "other")

    def __init__(self, one: Node, other: Node) -> None:
        self.one = one
        self.other = other

    def holds(self, context: Context) -> bool:
        return self.one.evaluate(context) == self.other.evaluate(context)


@condition("eqi", 2)
def eqi(one: str, other: str) -> bool:
    """The same, whatever the case of letters."""
    return one == other or lower(one) == lower(other)


@condition("lt", 2)
def lt(one: str, other: str) -> bool:
    """The first comes before the second."""
    return one < other


@condition("lti", 2)
def lti(one: str, other: str) -> bool:
    """The first comes before the second, whatever the case of letters."""
    return lower(one) < lower(other)


@condition("le", 2)
def le(one: str, other: str) -> bool:
    """The first does not come after the second."""
    return one <= other


@condition("lei", 2)
def lei(one: str, other: str) -> bool:
    """The first does not come after the second, whatever the case of letters."""
    return lower(one) <= lower(other)


@condition("gt", 2)
def gt(one: str, other: str) -> bool:
    """The first comes after the second."""
    return one > other


@condition("gti", 2)
def gti(one: str, other: str) -> bool:
    """The first comes after the second, whatever the case of letters."""
    return lower(one) > lower(other)


@condition("ge", 2)
def ge(one: str, other: str) -> bool:
    """The first does not come before the second."""
    return one >= other


@condition("gei", 2)
def gei(one: str, other: str) -> bool:
    """The first does not come before the second, whatever the case of letters."""
    return lower(one) >= lower(other)

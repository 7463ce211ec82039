"""Comparing numbers: ``=`` ``==`` ``<`` ``<=`` ``>`` ``>=``."""

from __future__ import annotations

from eximious.expand.condition import condition
from eximious.expand.numbers import integer


@condition("=", 2)
def equal(one: str, other: str) -> bool:
    """The numbers are the same."""
    return integer(one) == integer(other)


@condition("==", 2)
def equal_too(one: str, other: str) -> bool:
    """The numbers are the same."""
    return integer(one) == integer(other)


@condition("<", 2)
def less(one: str, other: str) -> bool:
    """The first number is smaller."""
    return integer(one) < integer(other)


@condition("<=", 2)
def less_or_equal(one: str, other: str) -> bool:
    """The first number is smaller, or the same."""
    return integer(one) <= integer(other)


@condition(">", 2)
def greater(one: str, other: str) -> bool:
    """The first number is larger."""
    return integer(one) > integer(other)


@condition(">=", 2)
def greater_or_equal(one: str, other: str) -> bool:
    """The first number is larger, or the same."""
    return integer(one) >= integer(other)

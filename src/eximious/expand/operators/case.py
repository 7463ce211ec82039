"""Upper and lower case, of A to Z only."""

from __future__ import annotations

from eximious.expand.operator import operator
from eximious.octets import lower, upper


@operator("lc")
def lc(text: str) -> str:
    """Letters in lower case."""
    return lower(text)


@operator("uc")
def uc(text: str) -> str:
    """Letters in upper case."""
    return upper(text)

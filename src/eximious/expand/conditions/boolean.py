"""``bool`` and ``bool_lax``: texts that mean yes or no."""

from __future__ import annotations

import re

from eximious.errors import ExpandError
from eximious.expand.condition import condition
from eximious.octets import lower

_NUMBER = re.compile(r"-?[0-9]+\Z")


@condition("bool", 1)
def strict(text: str) -> bool:
    """``true``, ``yes`` and numbers but 0 hold; ``false``, ``no``, 0 and nothing do not; all else is an error."""
    return strict_truth(text)


def strict_truth(text: str) -> bool:
    """What the text means, as ``bool`` reads it."""
    word = lower(text.strip(" \t\n\r\f\v"))
    if word in ("true", "yes"):
        return True
    if word in ("false", "no", ""):
        return False
    if _NUMBER.match(word):
        return bool(word.strip("-0"))
    raise ExpandError(f'unrecognised boolean value "{word}"')


@condition("bool_lax", 1)
def lax(text: str) -> bool:
    """Everything holds but ``false``, ``no``, ``0`` and nothing."""
    return lax_truth(text)


def lax_truth(text: str) -> bool:
    """What the text means, as ``bool_lax`` and the condition options of routers read it."""
    return lower(text.strip(" \t\n\r\f\v")) not in ("false", "no", "0", "")

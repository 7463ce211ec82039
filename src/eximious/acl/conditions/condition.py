"""The ACL condition ``condition``: any string, taken as true or false."""

from __future__ import annotations

from eximious.acl.declare import condition, parsed
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE
from eximious.errors import Defer


def truth(text: str) -> bool | str:
    """True for ``yes``, ``true`` and numbers but zero, False for ``no``, ``false``, zero and nothing; else the text."""
    word = text.strip()
    if word.lstrip("-+").isdigit():
        return int(word) != 0
    if not word or word.lower() in ("no", "false"):
        return False
    return True if word.lower() in ("yes", "true") else text


@condition("condition", parsed(truth), EVERYWHERE)
def condition_(value: bool | str, run: Run) -> bool:
    """True if the string is. What is neither true nor false defers, since something must be wrong with it."""
    if isinstance(value, str):
        raise Defer(f'invalid "condition" value "{value}"')
    return value

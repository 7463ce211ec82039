"""``inlist`` and ``inlisti``: is it one of those?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.condition import condition
from eximious.lists.split import split
from eximious.octets import lower

if TYPE_CHECKING:
    from eximious.context import Context


@condition("inlist", 2)
def inlist(context: Context, subject: str, items: str) -> bool:
    """The text is an item of the list; ``$value`` is then that item, as trustworthy as the list."""
    for item in split(items):
        if item == subject:
            context.lookup_value = item
            return True
    return False


@condition("inlisti", 2)
def inlisti(context: Context, subject: str, items: str) -> bool:
    """The same, whatever the case of letters."""
    wanted = lower(subject)
    for item in split(items):
        if lower(item) == wanted:
            context.lookup_value = item
            return True
    return False

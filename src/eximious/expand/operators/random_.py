"""``${randint``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import ExpandError
from eximious.expand.numbers import not_negative
from eximious.expand.operator import operator

if TYPE_CHECKING:
    from eximious.context import Context


@operator("randint", is_clean=True)
def randint(context: Context, text: str) -> str:
    """A number from 0 to one less than the given one. Not for secrets."""
    if not text:
        raise ExpandError('integer expected but "" found')
    limit = not_negative(text)
    return str(context.services.random.randrange(limit)) if limit > 0 else "0"

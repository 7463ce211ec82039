"""``${expand``: expanding once more what an expansion gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.expand.operator import operator
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context

DEEPEST: Final = 20  # expansions of expansions


@operator("expand")
def expand_again(context: Context, text: str) -> str:
    """What the text expands to. Foreign text is refused."""
    from eximious.expand.template import expand

    if context.depth >= DEEPEST:
        raise ExpandError("expansions of expansions are nested too deeply")
    context.depth += 1
    try:
        if text.__class__ is Tainted:
            raise ExpandError(f"attempt to expand tainted string '{text}'")
        return expand(text, context)
    except ForcedFail as error:
        raise ForcedFail(f'internal expansion of "{text}" failed: {error}') from None
    except ExpandError as error:
        raise ExpandError(f'internal expansion of "{text}" failed: {error}') from None
    except Defer as error:
        raise Defer(f'internal expansion of "{text}" failed: {error}') from None
    finally:
        context.depth -= 1

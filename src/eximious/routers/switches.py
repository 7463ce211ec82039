"""Options that are true or false after expansion: ``more`` and ``unseen``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eximious.errors import ExpandError, ForcedFail
from eximious.routers.outcome import Deferred

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.routers.base import Router

TRUE = ("true", "yes")
FALSE = ("false", "no")


def expanded_switch(router: Router, name: str, value: Any, default: bool, context: Context) -> bool:
    """The value of such an option, `default` if its expansion is forced to fail. Raises Deferred if it has none."""
    if isinstance(value, bool):
        return value
    try:
        text: str = value.expand(context)
    except ForcedFail:
        return default
    except ExpandError as error:
        raise Deferred(f'failed to expand "{name}" in {router.name} router: {error}') from error
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise Deferred(f'"{text}" is not a valid value for the "{name}" option in the {router.name} router')

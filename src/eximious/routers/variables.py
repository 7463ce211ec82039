"""``set = r_name = value``: variables that stay with an address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.errors import ExpandError, ForcedFail
from eximious.routers.complaints import log_main_and_panic
from eximious.routers.outcome import Decision, Routing, decline

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.routers.base import Router

NAME: Final = re.compile(r"r_[A-Za-z0-9_]+")


def set_variables(router: Router, items: list[Template], address: Address, context: Context) -> Routing | None:
    """Evaluate the settings in order; None if routing goes on, else what the router says without running."""
    for item in items:
        try:
            text = item.expand(context)
        except ForcedFail:
            return decline()
        except ExpandError as error:
            return Routing(Decision.FAIL, f'expansion of "{item.source}" failed in {router.name} router: {error}')
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not NAME.fullmatch(name):
            log_main_and_panic(context, f"bad router variable name '{name}' in router '{router.name}'\n")
            return Routing(Decision.FAIL)
        address.router_variables = {**address.router_variables, name: value.lstrip()}
    return None

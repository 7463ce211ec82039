"""The accept router: whatever meets the preconditions goes to the transport. (Chapter "The accept router".)"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from eximious.routers.base import Router, routers
from eximious.routers.outcome import Decision, Routing

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context


@routers.register("accept")
class Accept(Router):
    """Accept every address for which the preconditions hold."""

    logs_as_local: ClassVar[bool] = True

    def route(self, address: Address, context: Context) -> Routing:
        """Queue the address for the transport."""
        from eximious.routers.handover import hand_over

        return Routing(Decision.ACCEPT, transport=hand_over(self, address, context))

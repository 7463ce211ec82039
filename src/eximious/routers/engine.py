"""The chain of routers: which of them handles an address, and what becomes of it.

Exim specification, section "Running an individual router".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.routers.outcome import Routed

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context


def route(address: Address, context: Context, verify: str = "") -> Routed:
    """Send an address through the routers, from its `start_router` (or the first) on.

    `verify` is "" for delivery, "S" or "R" while a sender or recipient is verified, "E" for EXPN, "T" for -bt.
    The context's address is set to `address` while routers run, and restored afterwards.
    Never raises for an address: what is wrong is in the answer.
    """
    raise NotImplementedError

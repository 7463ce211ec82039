"""``unseen``: a copy of an accepted address goes on to the routers that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.routers.base import Router
    from eximious.routers.outcome import Routed


def split_off_copy(routed: Routed, start: Router) -> None:
    """Make the routed address and a copy, which `start` is the first to see, children of one new parent.

    The copy keeps what routers have attached to the address, but not their additions and removals of header lines.
    """
    address = routed.address
    parent = duplicate(address)
    parent.parent = address.parent
    parent.router = address.router
    parent.child_count = 2
    copy = duplicate(address)
    copy.parent = address.parent = parent
    copy.start_router = start
    address.flags.add("unseen")
    routed.generated.insert(0, copy)


def duplicate(address: Address) -> Address:
    """The address as it is now, before any delivery was decided."""
    from eximious.address.delivery import Address

    copy = Address(address.address)
    copy.unique = address.unique
    copy.recipient = address.recipient
    copy.onetime_parent = address.onetime_parent
    copy.errors_to = address.errors_to
    copy.srs = address.srs
    copy.address_data = address.address_data
    copy.router_variables = address.router_variables
    copy.flags = set(address.flags)
    copy.dsn_flags = address.dsn_flags
    copy.dsn_orcpt = address.dsn_orcpt
    copy.self_hostname = address.self_hostname
    return copy

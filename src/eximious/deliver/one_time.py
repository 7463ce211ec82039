"""one_time: after the first attempt, addresses that were generated take the place of the one that they stem from.

(Exim specification, option one_time of the redirect router.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.spool.message import Recipient

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.deliver.progress import Progress


def make_one_time(progress: Progress) -> bool:
    """Make recipients of the deferred addresses that such a router generated; true if there are any."""
    message = progress.message
    found = False
    for address in _in_order(progress.deferred):
        child = _generated_once(address)
        if child is None:
            continue
        found = True
        names = [recipient.address for recipient in message.recipients]
        if child.address in names:
            continue
        recipient = Recipient(child.address)
        recipient.parent_number = names.index(child.onetime_parent) if child.onetime_parent in names else -1
        # The router does not run again, so a sender that it rewrote has to be kept as well.
        recipient.errors_to = child.srs or child.errors_to or ""
        top = child.top.recipient
        if top is not None:
            recipient.dsn_flags, recipient.orcpt = top.dsn_flags, top.orcpt
        message.recipients.append(recipient)
        message.nonrecipients.add(child.onetime_parent)
    return found


def _in_order(deferred: list[Address]) -> list[Address]:
    """As the router's list had them: addresses are routed from the last to the first, and delivered as they stand."""
    unrouted = [address for address in reversed(deferred) if address.transport is None]
    return unrouted + [address for address in deferred if address.transport is not None]


def _generated_once(address: Address | None) -> Address | None:
    """The address, or the nearest one above it, that a router with one_time generated."""
    while address is not None and address.parent is not None:
        if address.onetime_parent:
            return address
        address = address.parent
    return None

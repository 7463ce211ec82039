"""Is there room for a message in the mailbox of an address? For ``verify = recipient/quota`` in ACLs.

(Exim specification, "Quota verification", "Quota caching".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.deliver.preparation import seen_by
from eximious.transports.base import Batch
from eximious.transports.identity import find_directories, find_identity
from eximious.transports.outcome import Outcome, Unable, delivered

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context


def find_room(address: Address, context: Context) -> Outcome:
    """What a delivery of $message_size octets to a routed address would come to, as far as quotas say.

    Transports that know nothing of quotas have room for everything.
    """
    transport = address.transport
    if transport is None or not hasattr(transport, "find_room"):
        return delivered()
    batch = Batch([address], context.message.sender)
    with seen_by(context, batch, transport):
        try:
            batch.identity = find_identity(address, transport, context)
            batch.home, batch.directory = find_directories(address, transport, context)
            address.home_directory = batch.home
            outcome: Outcome = transport.find_room(batch, context)
        except Unable as error:
            return error.outcome
    return outcome

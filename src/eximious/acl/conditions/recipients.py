"""The ACL condition ``recipients``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.declare import ADDRESSES, condition
from eximious.acl.run import Run
from eximious.acl.where import DELIVERY, RCPT

if TYPE_CHECKING:
    from eximious.lists.address import AddressList


@condition("recipients", ADDRESSES, frozenset({RCPT, DELIVERY}))
def recipients(wanted: AddressList, run: Run) -> bool:
    """True if the recipient's address is on the list."""
    matched = wanted.match(run.context.address.address, run.context)
    if matched is None:
        return False
    run.context.facts["recipient_data"] = matched.data
    return True

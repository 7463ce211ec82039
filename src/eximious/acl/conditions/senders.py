"""The ACL condition ``senders``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.declare import ADDRESSES, condition
from eximious.acl.run import Run
from eximious.acl.where import AUTH, CONNECT, ETRN, EVERYWHERE, EXPN, HELO, MAILAUTH, QUIT, STARTTLS, VRFY

if TYPE_CHECKING:
    from eximious.lists.address import AddressList

WITH_SENDER = EVERYWHERE - {CONNECT, HELO, AUTH, ETRN, EXPN, VRFY, STARTTLS, MAILAUTH, QUIT}


@condition("senders", ADDRESSES, WITH_SENDER)
def senders(wanted: AddressList, run: Run) -> bool:
    """True if the message's envelope sender is on the list; an empty item stands for bounces."""
    matched = wanted.match(run.context.message.sender, run.context)
    if matched is None:
        return False
    run.context.facts["sender_data"] = matched.data
    return True

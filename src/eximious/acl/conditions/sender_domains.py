"""The ACL condition ``sender_domains``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.conditions.senders import WITH_SENDER
from eximious.acl.declare import DOMAINS, condition
from eximious.acl.run import Run

if TYPE_CHECKING:
    from eximious.lists.domain import DomainList


@condition("sender_domains", DOMAINS, WITH_SENDER)
def sender_domains(wanted: DomainList, run: Run) -> bool:
    """True if the domain of the envelope sender is on the list. ``$domain`` stays the recipient's."""
    domain = run.context.message.sender.rpartition("@")[2]
    return wanted.match(domain, run.context) is not None

"""The ACL condition ``domains``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.declare import DOMAINS, condition
from eximious.acl.run import Run
from eximious.acl.where import DELIVERY, PRDR, RCPT, VRFY

if TYPE_CHECKING:
    from eximious.lists.domain import DomainList


@condition("domains", DOMAINS, frozenset({RCPT, VRFY, PRDR, DELIVERY}))
def domains(wanted: DomainList, run: Run) -> bool:
    """True if the recipient's domain is on the list; what a lookup gave is in ``$domain_data`` afterwards."""
    address = run.context.address
    matched = wanted.match(address.domain, run.context)
    if matched is None:
        return False
    address.domain_data = matched.data
    return True

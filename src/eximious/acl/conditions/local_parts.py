"""The ACL condition ``local_parts``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.declare import LOCAL_PARTS, condition
from eximious.acl.run import Run
from eximious.acl.where import DELIVERY, PRDR, RCPT, VRFY

if TYPE_CHECKING:
    from eximious.lists.local_part import LocalPartList


@condition("local_parts", LOCAL_PARTS, frozenset({RCPT, VRFY, PRDR, DELIVERY}))
def local_parts(wanted: LocalPartList, run: Run) -> bool:
    """True if the recipient's local part is on the list; what a lookup gave is in ``$local_part_data`` afterwards."""
    address = run.context.address
    matched = wanted.match(address.local_part, run.context)
    if matched is None:
        return False
    address.local_part_data = matched.data
    return True

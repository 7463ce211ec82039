"""The ACL condition ``dkim_status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.declare import STRINGS, condition
from eximious.acl.run import Run
from eximious.acl.where import DATA, DKIM, MIME, PRDR

if TYPE_CHECKING:
    from eximious.lists.local_part import LocalPartList


@condition("dkim_status", STRINGS, frozenset({DKIM, MIME, PRDR, DATA}))
def dkim_status(wanted: LocalPartList, run: Run) -> bool:
    """True if what DKIM verification came to, or one of its results after acl_smtp_dkim, is on the list."""
    found = run.context.message.facts.get("dkim")
    statuses = found.status if found is not None and found.status else "none"
    return any(wanted.match(status, run.context) is not None for status in statuses.split(":"))

"""The ACL condition ``dkim_signers``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.declare import STRINGS, condition
from eximious.acl.run import Run
from eximious.acl.where import DKIM

if TYPE_CHECKING:
    from eximious.lists.local_part import LocalPartList


@condition("dkim_signers", STRINGS, frozenset({DKIM}))
def dkim_signers(wanted: LocalPartList, run: Run) -> bool:
    """True if the signer that the ACL is asked about is on the list."""
    found = run.context.message.facts.get("dkim")
    return found is not None and wanted.match(found.signer, run.context) is not None

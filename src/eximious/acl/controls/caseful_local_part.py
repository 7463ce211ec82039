"""The control ``caseful_local_part``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import RCPT
from eximious.taint import Tainted


@control("caseful_local_part", frozenset({RCPT}))
def caseful_local_part(options: str, run: Run) -> None:
    """Let ``$local_part`` have the capitals that the client wrote, for the rest of the ACL."""
    address = run.context.address
    address.local_part = Tainted(address.local_part_cased)

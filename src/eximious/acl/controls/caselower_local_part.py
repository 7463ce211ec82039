"""The control ``caselower_local_part``."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.where import RCPT
from eximious.octets import lower
from eximious.taint import Tainted


@control("caselower_local_part", frozenset({RCPT}))
def caselower_local_part(options: str, run: Run) -> None:
    """Let ``$local_part`` be in lower case again."""
    address = run.context.address
    address.local_part = Tainted(lower(address.local_part_cased))

"""The ACL condition ``dmarc_status``, whose feature this version does not have yet."""

from __future__ import annotations

from eximious.acl.declare import TEXT, condition
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@condition("dmarc_status", TEXT, EVERYWHERE, later="DMARC")
def dmarc_status(text: str, run: Run) -> bool:
    """Never reached: the configuration is refused."""
    return False

"""The ACL condition ``dkim_signers``, whose feature this version does not have yet."""

from __future__ import annotations

from eximious.acl.declare import TEXT, condition
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@condition("dkim_signers", TEXT, EVERYWHERE, later="DKIM")
def dkim_signers(text: str, run: Run) -> bool:
    """Never reached: the configuration is refused."""
    return False

"""The ACL condition ``atrn_domains``, whose feature this version does not have yet."""

from __future__ import annotations

from eximious.acl.declare import TEXT, condition
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@condition("atrn_domains", TEXT, EVERYWHERE, later="ATRN")
def atrn_domains(text: str, run: Run) -> bool:
    """Never reached: the configuration is refused."""
    return False

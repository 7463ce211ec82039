"""The ACL condition ``bmi_optin``, whose feature this version does not have yet."""

from __future__ import annotations

from eximious.acl.declare import TEXT, condition
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@condition("bmi_optin", TEXT, EVERYWHERE, later="Brightmail AntiSpam")
def bmi_optin(text: str, run: Run) -> bool:
    """Never reached: the configuration is refused."""
    return False

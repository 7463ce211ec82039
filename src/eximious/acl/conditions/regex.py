"""The ACL condition ``regex``, whose feature this version does not have yet."""

from __future__ import annotations

from eximious.acl.declare import TEXT, condition
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@condition("regex", TEXT, EVERYWHERE, later="content scanning")
def regex(text: str, run: Run) -> bool:
    """Never reached: the configuration is refused."""
    return False

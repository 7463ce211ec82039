"""The ACL condition ``mime_regex``, whose feature this version does not have yet."""

from __future__ import annotations

from eximious.acl.declare import TEXT, condition
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@condition("mime_regex", TEXT, EVERYWHERE, later="content scanning")
def mime_regex(text: str, run: Run) -> bool:
    """Never reached: the configuration is refused."""
    return False

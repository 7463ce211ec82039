"""The ACL modifier ``continue``: its argument is expanded, and that is all."""

from __future__ import annotations

from eximious.acl.declare import TEXT, modifier
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@modifier("continue", TEXT, EVERYWHERE)
def continue_(text: str, run: Run) -> None:
    """The expansion's side effects have happened already."""

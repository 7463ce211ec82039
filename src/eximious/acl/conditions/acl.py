"""The ACL condition ``acl``: another ACL decides."""

from __future__ import annotations

from eximious.acl.declare import RAW, condition
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE
from eximious.expand.template import Template


@condition("acl", RAW, EVERYWHERE)
def acl(called: Template, run: Run) -> bool:
    """True if the other ACL accepts. A name may be followed by up to nine arguments, ``$acl_arg1`` and so on."""
    text = called.expand(run.context)
    name, _, rest = text.strip().partition(" ")
    if rest and name in run.context.config.acls:
        return run.nested(name, rest.split())
    return run.nested(text, [])

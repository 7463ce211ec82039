"""The ACL modifier ``set``: gives a value to an ACL variable."""

from __future__ import annotations

from eximious.acl.declare import TEXT, modifier
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@modifier("set", TEXT, EVERYWHERE)
def set_(name: str, value: str, run: Run) -> None:
    """``acl_c`` variables last as long as the connection, ``acl_m`` variables as long as the message."""
    context = run.context
    holder = context.client if name[0] == "c" else context.message
    holder.acl_variables[name] = value

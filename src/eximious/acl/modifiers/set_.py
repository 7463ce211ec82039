"""The ACL modifier ``set``: gives a value to an ACL variable."""

from __future__ import annotations

from eximious.acl.declare import TEXT, modifier
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@modifier("set", TEXT, EVERYWHERE)
def set_(name: str, value: str, run: Run) -> None:
    """``acl_c`` variables last as long as the connection, ``acl_m`` variables as long as the message.

    An ACL may also overrule what DKIM verification found: ``set dkim_verify_status``, ``set dkim_verify_reason``.
    """
    context = run.context
    if name.startswith("dkim_verify_"):
        dkim = context.message.facts.get("dkim")
        if dkim is not None:
            setattr(dkim, name.removeprefix("dkim_verify_"), value)
        return
    holder = context.client if name[0] == "c" else context.message
    holder.acl_variables[name] = value

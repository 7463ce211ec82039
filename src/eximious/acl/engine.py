"""Access control lists at work: decide whether a connection, a command or a message is acceptable.

`run` takes an ACL's name, file name or text; `check` takes the option that holds one. Both give a `Verdict` and never
raise for what is wrong with an ACL: that is a verdict too (`ERROR`), which tells the client to try again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.run import Run, verdict
from eximious.acl.verdict import ACCEPT, DISCARD, ERROR, AclError, Verdict
from eximious.acl.where import WITH_DISCARD
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.logs.printing import printing

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template


def check(option: Template, where: str, context: Context) -> Verdict:
    """Run the ACL that an option such as ``acl_smtp_rcpt`` names, once the option is expanded."""
    text = option.constant
    if text is None:
        try:
            text = option.expand(context)
        except ForcedFail:
            return Verdict(ACCEPT)
        except (ExpandError, Defer) as error:
            return Verdict(ERROR, "", f'failed to expand ACL string "{printing(option.source)}": {error}')
    return run(text, where, context)


def run(text: str, where: str, context: Context) -> Verdict:
    """Run the ACL of that name, file or text."""
    outer = context.acl_where
    context.acl_where = where
    running = Run(context, where)
    try:
        result = running.call(text)
        if result == DISCARD and where not in WITH_DISCARD:
            context.services.logs.panic(f'"discard" verb not allowed in {where} ACL')
            return Verdict(ERROR)
        return verdict(running, result)
    except AclError as error:
        return Verdict(ERROR, "", str(error))
    finally:
        context.acl_where = outer


def evaluate(text: str, arguments: list[str], context: Context) -> Verdict:
    """The expansion item ``${acl``: run an ACL in the middle of a string, where whatever runs already runs."""
    running = Run(context, context.acl_where or "unknown")
    try:
        return verdict(running, running.called(text, arguments))
    except AclError as error:
        return Verdict(ERROR, "", str(error))

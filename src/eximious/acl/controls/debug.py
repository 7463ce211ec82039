"""The control ``debug``: a debugging log of its own."""

from __future__ import annotations

from eximious.acl.declare import control
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import EVERYWHERE
from eximious.logs import debug_log


@control("debug", EVERYWHERE, has_options=True)
def debug(options: str, run: Run) -> None:
    """``debug/tag=SUFFIX/opts=SELECTORS/pretrigger=SIZE/trigger=REASON``, or ``stop``, ``kill`` or ``trigger=now``."""
    tag = selectors = trigger = ""
    room = 0
    for option in options.split("/") if options else ():
        name, _, value = option.partition("=")
        if name in ("stop", "kill"):
            debug_log.stop(run.context, removes=name == "kill")
            run.trace = run.context.trace
            return
        if name == "tag":
            tag = value
        elif name == "opts":
            selectors = value
        elif name == "pretrigger" and value.isdecimal():
            room = int(value)
        elif name == "trigger" and value in ("now", "paniclog"):
            trigger = value
        else:
            raise AclError(f'syntax error in "control=debug/{options}"')
    if trigger == "now" and not (tag or selectors or room):
        debug_log.trigger(run.context)
        return
    try:
        debug_log.start(run.context, tag, selectors, room, on_panic=trigger == "paniclog")
    except ValueError as error:
        raise AclError(str(error)) from None
    if trigger == "now":
        debug_log.trigger(run.context)
    run.trace = run.context.trace

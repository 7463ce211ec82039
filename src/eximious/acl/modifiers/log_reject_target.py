"""The ACL modifier ``log_reject_target``: which logs hear of rejections, for the rest of the ACL."""

from __future__ import annotations

from eximious.acl.declare import TEXT, modifier
from eximious.acl.modifiers.logwrite import LOGS
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE


@modifier("log_reject_target", TEXT, EVERYWHERE)
def log_reject_target(text: str, run: Run) -> None:
    """A list of ``main``, ``reject`` and ``panic``; none at all is possible."""
    targets = []
    for name in filter(None, (word.strip() for word in text.split(":"))):
        if name in LOGS:
            targets.append(name)
        else:
            run.context.services.logs.panic(f'unknown log name "{name}" in "log_reject_target" in {run.where} ACL')
    run.log_targets = tuple(targets)

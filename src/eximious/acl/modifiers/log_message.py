"""The ACL modifier ``log_message``: what the log says. Expanded only when the ACL ends with it."""

from __future__ import annotations

from eximious.acl.declare import RAW, modifier
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE
from eximious.expand.template import Template


@modifier("log_message", RAW, EVERYWHERE)
def log_message(text: Template, run: Run) -> None:
    """Keep the text until the verb is obeyed."""
    run.log_template = text

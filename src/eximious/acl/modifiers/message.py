"""The ACL modifier ``message``: what the client is told. Expanded only when the ACL ends with it."""

from __future__ import annotations

from eximious.acl.declare import RAW, modifier
from eximious.acl.run import Run
from eximious.acl.where import EVERYWHERE
from eximious.expand.template import Template


@modifier("message", RAW, EVERYWHERE)
def message(text: Template, run: Run) -> None:
    """Keep the text until the verb is obeyed."""
    run.message_template = text

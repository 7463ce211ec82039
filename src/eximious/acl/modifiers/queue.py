"""The ACL modifier ``queue``: the named queue that the message goes to."""

from __future__ import annotations

from eximious.acl.declare import modifier, parsed
from eximious.acl.run import Run
from eximious.acl.verdict import AclError
from eximious.acl.where import DATA, EVERYWHERE, NOT_SMTP, PRDR


def queue_name(text: str) -> str:
    """A name, with no directory in it. Raises AclError."""
    if "/" in text:
        raise AclError(f"Directory separator not permitted in queue name: '{text}'")
    return text.strip()


@modifier("queue", parsed(queue_name), EVERYWHERE - {DATA, PRDR, NOT_SMTP})
def queue(name: str, run: Run) -> None:
    """An empty name is the default queue."""
    run.context.message.queue_name = name

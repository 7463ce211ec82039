"""The ACL modifier ``add_header``: header lines for the message, if it is accepted."""

from __future__ import annotations

from eximious.acl.declare import TEXT, modifier
from eximious.acl.run import Run
from eximious.acl.where import DELIVERY, WITH_MESSAGE


@modifier("add_header", TEXT, WITH_MESSAGE | {DELIVERY})
def add_header(text: str, run: Run) -> None:
    """Note the lines; they become part of the message before the DATA ACL, or after it."""
    reception = run.reception
    reception.add_headers(text)
    run.context.facts["headers_added"] = "\n".join(
        added.text.rstrip("\n").replace("\n", "\n\n") for added in reception.added_headers
    )

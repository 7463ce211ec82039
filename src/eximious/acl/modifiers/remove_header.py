"""The ACL modifier ``remove_header``: header lines that the message is to lose, if it is accepted."""

from __future__ import annotations

from eximious.acl.declare import TEXT, modifier
from eximious.acl.run import Run
from eximious.acl.where import DELIVERY, DKIM, WITH_MESSAGE


@modifier("remove_header", TEXT, (WITH_MESSAGE - {DKIM}) | {DELIVERY})
def remove_header(text: str, run: Run) -> None:
    """Note the names (a list), or regular expressions that start with a circumflex."""
    if text.strip():
        run.reception.removed_headers.append(text)

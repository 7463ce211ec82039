"""The ACL condition ``hosts``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.declare import HOSTS, condition
from eximious.acl.run import Run
from eximious.acl.where import SMTP

if TYPE_CHECKING:
    from eximious.lists.host import HostList


@condition("hosts", HOSTS, SMTP)
def hosts(wanted: HostList, run: Run) -> bool:
    """True if the client is on the list; what a lookup gave is in ``$host_data`` afterwards."""
    context = run.context
    matched = wanted.match(context.client, context)
    if matched is None:
        return False
    context.facts["host_data"] = matched.data
    return True

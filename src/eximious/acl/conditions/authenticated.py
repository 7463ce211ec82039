"""The ACL condition ``authenticated``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl.declare import STRINGS, condition
from eximious.acl.run import Run
from eximious.acl.where import CONNECT, HELO, SMTP

if TYPE_CHECKING:
    from eximious.lists.local_part import LocalPartList


@condition("authenticated", STRINGS, SMTP - {CONNECT, HELO})
def authenticated(names: LocalPartList, run: Run) -> bool:
    """True if the client has authenticated, with an authenticator whose name is on the list."""
    name = run.context.client.authenticator_name
    return name != "" and names.match(name, run.context) is not None

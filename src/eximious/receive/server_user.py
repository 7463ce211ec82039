"""The user that the server runs as: who submits what comes from the network, and what the server writes itself."""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

from eximious.receive.submitter import Submitter

if TYPE_CHECKING:
    from eximious.context import Context


def server_user(context: Context) -> Submitter:
    """Looked up once a process."""
    services = context.services
    known: Submitter | None = services.server_user
    if known is None:
        main = context.config.main
        try:
            login = pwd.getpwuid(main.exim_user).pw_name
        except KeyError:
            login = str(main.exim_user)
        known = Submitter(login, "", main.exim_user, main.exim_group, address=f"{login}@{main.qualify_domain}")
        known.is_trusted = True
        services.server_user = known
    return known

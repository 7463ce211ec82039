"""Microsoft's Secure Password Authentication (NTLM)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.authenticators.base import Authenticator, authenticators
from eximious.config.option import option

if TYPE_CHECKING:
    from eximious.expand.template import Template


@authenticators.register("spa")
class Spa(Authenticator):
    """Microsoft's Secure Password Authentication (NTLM)."""

    later = "SPA"

    server_option = "server_password"
    client_option = "client_username"

    client_domain: Template | None = option(None, doc="Our domain.")
    client_password: Template | None = option(None, doc="Our password.")
    client_username: Template | None = option(None, doc="Our user name.")
    server_password: Template | None = option(None, doc="The password of the user in $auth1.")

"""Dovecot's authentication server."""

from __future__ import annotations

from eximious.authenticators.base import Authenticator, authenticators
from eximious.config.option import option


@authenticators.register("dovecot")
class Dovecot(Authenticator):
    """Dovecot's authentication server."""

    later = "Dovecot authentication"

    server_option = "server_socket"

    server_socket: str | None = option(None, doc="The Unix socket of Dovecot's authentication server.")

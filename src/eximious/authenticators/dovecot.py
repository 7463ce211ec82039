"""Dovecot's authentication server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.authenticators.base import Authenticator, authenticators
from eximious.authenticators.later import refuse
from eximious.config.option import option

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration


@authenticators.register("dovecot")
class Dovecot(Authenticator):
    """Dovecot's authentication server."""

    server_option = "server_socket"

    server_socket: str | None = option(None, doc="The Unix socket of Dovecot's authentication server.")

    def check(self, config: Configuration) -> None:
        refuse(self)

"""Certificates of TLS clients, without any SMTP command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.authenticators.base import Authenticator, authenticators
from eximious.config.option import option

if TYPE_CHECKING:
    from eximious.expand.template import Template


@authenticators.register("tls")
class Tls(Authenticator):
    """Certificates of TLS clients, without any SMTP command."""

    later = "authentication by TLS"

    server_option = "server_param1"

    server_param1: Template | None = option(
        None, aliases=("server_param",), doc="Expanded after the TLS handshake into $auth1."
    )
    server_param2: Template | None = option(None, doc="Expanded into $auth2.")
    server_param3: Template | None = option(None, doc="Expanded into $auth3.")

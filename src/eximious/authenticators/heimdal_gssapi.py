"""Kerberos through GSSAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.authenticators.base import Authenticator, authenticators
from eximious.config.option import option

if TYPE_CHECKING:
    from eximious.expand.template import Template


@authenticators.register("heimdal_gssapi")
class HeimdalGssapi(Authenticator):
    """Kerberos through GSSAPI."""

    later = "GSSAPI"

    server_hostname: Template = option("$primary_hostname", doc="The host in the name of our service.")
    server_keytab: Template | None = option(None, doc="File with our keys; the system's if unset.")
    server_service: Template = option("smtp", doc="The name of our service.")

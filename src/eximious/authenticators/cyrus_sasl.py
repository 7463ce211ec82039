"""The Cyrus SASL library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.authenticators.base import Authenticator, authenticators
from eximious.config.option import option

if TYPE_CHECKING:
    from eximious.expand.template import Template


@authenticators.register("cyrus_sasl")
class CyrusSasl(Authenticator):
    """The Cyrus SASL library."""

    later = "the Cyrus SASL library"

    server_hostname: Template = option("$primary_hostname", doc="Our host name, for the library.")
    server_mech: str | None = option(None, doc="The library's mechanism; public_name if unset.")
    server_realm: Template | None = option(None, doc="Our realm, for the library.")
    server_service: str = option("smtp", doc="Our service, for the library.")

"""The mechanisms of the GNU SASL library, SCRAM among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.authenticators.base import Authenticator, authenticators
from eximious.config.option import option

if TYPE_CHECKING:
    from eximious.expand.template import Template


@authenticators.register("gsasl")
class Gsasl(Authenticator):
    """The mechanisms of the GNU SASL library, SCRAM among them."""

    later = "SASL mechanisms of gsasl"

    client_authz: Template | None = option(None, doc="The identity to act as, if not client_username.")
    client_channelbinding: bool = option(False, doc="Bind the exchange to the TLS session.")
    client_password: Template | None = option(None, doc="Our password.")
    client_spassword: Template | None = option(None, doc="Our password as SCRAM prepares it, in hexadecimal.")
    client_username: Template | None = option(None, doc="Our user name.")
    server_channelbinding: bool = option(False, doc="Bind the exchange to the TLS session.")
    server_hostname: Template = option("$primary_hostname", doc="Our host name.")
    server_key: Template | None = option(None, doc="SCRAM's ServerKey of the user.")
    server_mech: str | None = option(None, doc="The mechanism; public_name if unset.")
    server_password: Template | None = option(None, doc="The password of the user in $auth1.")
    server_realm: Template | None = option(None, doc="Our realm.")
    server_scram_iter: Template = option("4096", doc="SCRAM's iteration count.")
    server_scram_salt: Template | None = option(None, doc="SCRAM's salt, in base64.")
    server_service: str = option("smtp", doc="Our service.")
    server_skey: Template | None = option(None, doc="SCRAM's StoredKey of the user.")

"""EXTERNAL (RFC 4422, appendix A): who the client is was settled elsewhere, as by its certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.authenticators.base import Authenticator, authenticators, set_strings
from eximious.authenticators.exchange import (
    ClientExchange,
    ClientResult,
    ClientStatus,
    Result,
    ServerExchange,
)
from eximious.config.option import option

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template


@authenticators.register("external")
class External(Authenticator):
    """The client names an identity; the configuration decides whether it may have it."""

    client_option = "client_send"

    client_send: Template | None = option(None, doc="The identity that we claim.")
    server_param2: Template | None = option(None, doc="Expanded before server_condition into $auth2.")
    server_param3: Template | None = option(None, doc="Expanded before server_condition into $auth3.")

    def serve(self, exchange: ServerExchange, context: Context) -> Result:
        initial = exchange.initial()
        strings = [exchange.get("") if initial is None else initial]
        set_strings(context, strings)
        for parameter in (self.server_param2, self.server_param3):
            strings.append("" if parameter is None else parameter.expand(context))
            set_strings(context, strings)
        return self.judge(context)

    def use(self, exchange: ClientExchange, context: Context) -> ClientResult:
        assert self.client_send is not None
        exchange.begin(self.client_send.expand(context))
        if exchange.is_done:
            return ClientResult(ClientStatus.OK)
        return ClientResult(ClientStatus.CANCELLED, "Unexpected challenge", exchange.cancel())

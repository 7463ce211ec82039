"""CRAM-MD5 (RFC 2195): the secret itself is never sent."""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING

from eximious.authenticators.base import Authenticator, authenticators, set_strings
from eximious.authenticators.exchange import (
    BadBase64,
    ClientExchange,
    ClientResult,
    ClientStatus,
    Result,
    ServerExchange,
    Status,
    decode,
)
from eximious.config.errors import Fault
from eximious.config.option import option

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.context import Context
    from eximious.expand.template import Template


@authenticators.register("cram_md5")
class CramMd5(Authenticator):
    """The client proves that it knows a secret, by a digest of the server's challenge."""

    server_option = "server_secret"
    client_option = "client_secret"

    client_name: Template | None = option(None, doc="Our user name; the primary host name if unset.")
    client_secret: Template | None = option(None, doc="Our secret.")
    server_secret: Template | None = option(None, doc="The secret of the user whose name is in $auth1.")

    def check(self, config: Configuration) -> None:
        super().check(config)
        if self.public_name is None and not self.is_server and not self.is_client:
            raise Fault(f"no public name specified for the {self.name} authenticator", self.place)

    def serve(self, exchange: ServerExchange, context: Context) -> Result:
        if exchange.initial() is not None:
            return Result(Status.UNEXPECTED)
        assert self.server_secret is not None
        challenge = make_challenge(context)
        user, digest = split_response(exchange.get(challenge))
        set_strings(context, [user])
        secret = self.server_secret.expand(context)
        if not hmac.compare_digest(proof(secret, challenge).encode(), digest.encode("latin-1")):
            return Result(Status.FAIL)
        return self.judge(context)

    def use(self, exchange: ClientExchange, context: Context) -> ClientResult:
        assert self.client_secret is not None
        secret = self.client_secret.expand(context)
        if self.client_name is None:
            name = context.config.main.primary_hostname
        else:
            name = self.client_name.expand(context)
        text = exchange.begin()
        if exchange.is_done:
            return ClientResult(ClientStatus.OK)
        try:
            challenge = decode(text)
        except BadBase64:
            message = f"Invalid base64 string in challenge: {text}"
            return ClientResult(ClientStatus.CANCELLED, message, exchange.cancel())
        exchange.respond(f"{name} {proof(secret, challenge)}")
        if exchange.is_done:
            return ClientResult(ClientStatus.OK)
        return ClientResult(ClientStatus.CANCELLED, "Unexpected second challenge", exchange.cancel())


def make_challenge(context: Context) -> str:
    """A string that was never sent before, in the form of a message id."""
    services = context.services
    return (
        f"<{os.getpid()}.{services.random.getrandbits(48)}.{services.now():.0f}@{context.config.main.primary_hostname}>"
    )


def proof(secret: str, challenge: str) -> str:
    """What the response must have after the user's name."""
    return hmac.new(secret.encode("latin-1"), challenge.encode("latin-1"), "md5").hexdigest()


def split_response(response: str) -> tuple[str, str]:
    """User name and digest: the last word is the digest, since a name may have spaces."""
    user, _, digest = response.rpartition(" ")
    return user.rstrip(" "), digest

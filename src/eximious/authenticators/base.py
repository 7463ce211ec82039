"""What all authenticators share: the generic options, and the frame round each exchange.

Exim specification, chapter "SMTP authentication".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from eximious.authenticators.exchange import (
    BadBase64,
    Cancelled,
    ClientExchange,
    ClientResult,
    ClientStatus,
    Refused,
    Result,
    ServerExchange,
    Status,
)
from eximious.config.errors import Fault
from eximious.config.option import Options, option
from eximious.errors import ConfigError, Defer, ExpandError, ForcedFail
from eximious.registry import Registry

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.context import Context
    from eximious.expand.template import Template

authenticators: Registry[type[Authenticator]] = Registry("eximious.authenticators", "authenticator")

CAPTURES = 9  # $1 to $9, which older configurations use for $auth1, $auth2, ...


class Authenticator(Options):
    """One authenticator of the configuration: its options, and what each driver does as server and as client."""

    # For drivers to say: the options that make an instance a server or a client.
    server_option: ClassVar[str] = "server_condition"
    client_option: ClassVar[str] = ""
    later: ClassVar[str] = ""  # what is missing, if this version knows the driver's options but cannot run it

    client_condition: Template | None = option(
        None, doc="As a client, skip this authenticator if it expands to nothing, 0, no or false."
    )
    client_set_id: Template | None = option(None, doc="Who we were authenticated as, for the log.")
    driver: str | None = option(None, doc="Which authenticator this is an instance of.")
    public_name: str | None = option(None, doc="The mechanism's name in EHLO and AUTH; the instance's name if unset.")
    server_advertise_condition: Template | None = option(
        None, doc="Not offered if it expands to nothing, 0, no or false."
    )
    server_condition: Template | None = option(None, doc="Must expand to 1, yes or true for a client to succeed.")
    server_debug_print: Template | None = option(None, doc="Expanded and shown with -d when it runs as a server.")
    server_mail_auth_condition: Template | None = option(
        None, doc="The AUTH parameter of MAIL only counts if this expands to something true."
    )
    server_set_id: Template | None = option(None, doc="Who has been authenticated, for $authenticated_id and the log.")

    @property
    def mechanism(self) -> str:
        """The name by which the other side knows it."""
        return self.public_name or self.name

    @property
    def is_server(self) -> bool:
        """True if clients may use it here."""
        return self.is_set(self.server_option)

    @property
    def is_client(self) -> bool:
        """True if we may use it with servers."""
        return bool(self.client_option) and self.is_set(self.client_option)

    def check(self, config: Configuration) -> None:
        """Two servers, or two clients, with the same public name could not be told apart."""
        if self.later:
            raise ConfigError(
                f"authenticator {self.name}: the {self.driver} driver needs {self.later}, "
                "which this version does not have",
                self.place,
            )
        for other in config.authenticators:
            if other is self:
                return
            if other.mechanism.lower() != self.mechanism.lower():
                continue
            for role, both in (
                ("client", other.is_client and self.is_client),
                ("server", other.is_server and self.is_server),
            ):
                if both:
                    raise Fault(
                        f"two {role} authenticators ({other.name} and {self.name}) have the same public name "
                        f"({other.mechanism})",
                        self.place,
                    )

    def serve(self, exchange: ServerExchange, context: Context) -> Result:
        """The server's side of the exchange. May raise what exchanges and expansions raise."""
        raise NotImplementedError

    def use(self, exchange: ClientExchange, context: Context) -> ClientResult:
        """The client's side of the exchange. May raise what exchanges and expansions raise."""
        raise NotImplementedError

    def judge(self, context: Context) -> Result:
        """The verdict of server_condition; success if there is none."""
        self._show(context)
        if self.server_condition is None:
            return Result(Status.OK)
        verdict = self.server_condition.expand(context)
        if is_false(verdict):
            return Result(Status.FAIL)
        if verdict.lower() in ("1", "yes", "true"):
            return Result(Status.OK)
        return Result(Status.DEFER, verdict, verdict)

    def _show(self, context: Context) -> None:
        """Add server_debug_print to the debugging output."""
        if context.trace is None or self.server_debug_print is None:
            return
        try:
            context.trace.auth(self.server_debug_print.expand(context))
        except (ExpandError, Defer) as error:
            context.trace.auth(f'failed to expand debug_output "{self.server_debug_print.source}": {error}')

    def accepts_sender(self, context: Context) -> bool:
        """The verdict of server_mail_auth_condition on the AUTH parameter of a MAIL command; true if there is none.

        A forced failure of its expansion counts as true, as in Exim; any other is logged, and counts as false.
        """
        condition = self.server_mail_auth_condition
        if condition is None:
            return True
        try:
            return not is_false(condition.expand(context))
        except ForcedFail:
            return True
        except (ExpandError, Defer) as error:
            context.services.logs.main(
                f'failed to expand condition "{condition.source}" for {self.name} authenticator: {error}'
            )
            return False


def is_false(text: str) -> bool:
    """True for what counts as false in conditions that are strings."""
    return text.strip().lower() in ("", "0", "no", "false")


def set_strings(context: Context, strings: Sequence[str]) -> None:
    """Make the strings of an exchange visible as $auth1, ... and $1, ..."""
    context.facts["auth"] = list(strings)
    context.captures = ["", *strings[:CAPTURES]]


def is_offered(authenticator: Authenticator, context: Context) -> bool:
    """True if the mechanism is to be offered to this client; a failing condition is logged."""
    if not authenticator.is_server or authenticator.driver == "tls":
        return False
    condition = authenticator.server_advertise_condition
    if condition is None:
        return True
    try:
        return not is_false(condition.expand(context))
    except (ForcedFail, Defer):
        return False
    except ExpandError as error:
        name = authenticator.name
        context.services.logs.main(
            f'failed to expand "{condition.source}" in "{name}" authenticator server_advertise_condition: {error}'
        )
        return False


def authenticate(authenticator: Authenticator, exchange: ServerExchange, context: Context) -> Result:
    """Run the server's side to its end, and note in the context's client who it was or claimed to be."""
    saved = context.captures
    set_strings(context, [])
    try:
        result = _serve(authenticator, exchange, context)
        if result.status is not Status.CANCELLED:
            result.set_id = _expand_id(authenticator.server_set_id, context)
    finally:
        context.captures = saved
        context.facts.pop("auth", None)
    client = context.client
    if result.status is Status.OK:
        client.authenticated_id = result.set_id
        client.authenticated_fail_id = ""
        client.authenticator_name = authenticator.name
        client.authenticator_public_name = authenticator.mechanism
    elif result.set_id:
        client.authenticated_fail_id = result.set_id
    return result


def _serve(authenticator: Authenticator, exchange: ServerExchange, context: Context) -> Result:
    try:
        return authenticator.serve(exchange, context)
    except Cancelled:
        return Result(Status.CANCELLED)
    except BadBase64:
        return Result(Status.BAD_BASE64)
    except ForcedFail:
        return Result(Status.FAIL)
    except (ExpandError, Defer) as error:
        return Result(Status.DEFER, log_message=str(error))


def authenticate_to(authenticator: Authenticator, exchange: ClientExchange, context: Context) -> ClientResult:
    """Run the client's side to its end."""
    saved = context.captures
    set_strings(context, [])
    try:
        result = _use(authenticator, exchange, context)
        if result.status is ClientStatus.OK:
            result.set_id = _expand_id(authenticator.client_set_id, context)
    finally:
        context.captures = saved
        context.facts.pop("auth", None)
    return result


def _use(authenticator: Authenticator, exchange: ClientExchange, context: Context) -> ClientResult:
    try:
        condition = authenticator.client_condition
        if condition is not None and is_false(condition.expand(context)):
            return ClientResult(ClientStatus.SKIP)
        return authenticator.use(exchange, context)
    except Refused as refused:
        status = ClientStatus.FAIL if refused.code // 100 == 5 else ClientStatus.DEFER
        return ClientResult(status, reply=refused.reply)
    except ForcedFail:
        return ClientResult(ClientStatus.SKIP)
    except (ExpandError, Defer) as error:
        return ClientResult(ClientStatus.ERROR, str(error))


def _expand_id(template: Template | None, context: Context) -> str:
    """The identity; empty if it cannot be expanded, which the specification says to ignore."""
    if template is None:
        return ""
    try:
        return template.expand(context)
    except (ExpandError, Defer):
        return ""

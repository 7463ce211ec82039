"""Callouts: asking the hosts of an address whether they would take mail for it.

Exim specification, "Callout verification".
"""

from __future__ import annotations

import copy
import errno
import os
from typing import TYPE_CHECKING, Final

from eximious.address.parse import split
from eximious.errors import Defer, ExpandError
from eximious.routers.complaints import log_main_and_panic
from eximious.send.failure import Failure
from eximious.send.hosts import find_hosts
from eximious.send.opening import open_connection
from eximious.taint import is_tainted
from eximious.transports.base import Batch
from eximious.transports.content import recipient
from eximious.transports.outcome import Unable
from eximious.transports.smtp import Smtp
from eximious.verify.address import Request, Result, Verified
from eximious.verify.callout_cache import CalloutCache

if TYPE_CHECKING:
    from eximious.acl.verify_options import CalloutOptions
    from eximious.address.delivery import Address, Host
    from eximious.context import Context
    from eximious.send.connection import Connection
    from eximious.smtp.reply import Reply

MAIL: Final = "mail"
RECIPIENT: Final = "recipient"
POSTMASTER: Final = "postmaster"
RANDOM: Final = "random"


class Refused(Exception):
    """A host said no, for good: the answer is known. `failure` is MAIL, RECIPIENT or POSTMASTER."""

    def __init__(self, failure: str, sent: str, response: str, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.sent = sent
        self.response = response
        self.message = message


class Satisfied(Exception):
    """The host takes any local part, so nothing more need be asked."""


def call_out(address: Address, original: str, context: Context, request: Request) -> Verified:
    """Ask about an address that was routed; gives the verdict."""
    options = request.callout
    assert options is not None
    if not _is_callable(address):
        return Verified(Result.OK, original, address)
    call = _Callout(address, original, context, request, options)
    before = context.address
    context.address = address
    try:
        return call.verdict()
    finally:
        context.address = before


def _is_callable(address: Address) -> bool:
    """Callouts are made only for what goes to other hosts by SMTP."""
    return address.transport is None or isinstance(address.transport, Smtp)


class _Callout:
    """One callout for one address, with all hosts that are tried."""

    def __init__(
        self, address: Address, original: str, context: Context, request: Request, options: CalloutOptions
    ) -> None:
        self.address = address
        self.original = original
        self.context = context
        self.is_recipient = request.is_recipient
        self.options = options
        self.sender = self._sender()
        self.cache = CalloutCache(address, self.sender, options, context)
        self.transport = _with_timeouts(address.transport, options)
        self.random_address = self._random_address() if options.random else ""

    def _sender(self) -> str:
        """The address for MAIL."""
        options, context = self.options, self.context
        if options.use_sender:
            return context.message.sender
        if options.use_postmaster:
            return f"postmaster@{context.config.main.qualify_domain}"
        return options.mailfrom

    def _random_address(self) -> str:
        """An address that should not exist, at the same domain; "" if there is none."""
        template = self.context.config.main.callout_random_local_part
        try:
            local_part = template.expand(self.context)
        except (ExpandError, Defer) as error:
            self.context.services.logs.panic(f"failed to expand callout_random_local_part: {error}")
            return ""
        return f"{local_part}@{self._domain}"

    @property
    def _domain(self) -> str:
        return split(self.address.address)[1]

    # --- the whole --------------------------------------------------------------------------------------------------

    def verdict(self) -> Verified:
        """By what is remembered, or else by asking."""
        remembered = self.cache.verdict(bool(self.random_address))
        if remembered is not None:
            return self._remembered(*remembered)
        try:
            hosts = self._hosts()
        except Unable as unable:
            return self._deferred(unable.outcome.message, 1)
        if not hosts:
            return Verified(Result.OK, self.original, self.address)
        return self._ask_hosts(hosts)

    def _hosts(self) -> list[Host]:
        address = self.address
        if not address.host_list and (address.transport is None or address.transport.hosts is None):
            return []
        batch = Batch([address], self.sender)
        batch.hosts = list(address.host_list)
        return [host for host in find_hosts(self.transport, batch, self.context) if host.address]

    def _ask_hosts(self, hosts: list[Host]) -> Verified:
        """Ask one host after the other until one has an answer, or there is no more time."""
        services = self.context.services
        limit = services.now() + self.options.overall
        why = ""
        for number, host in enumerate(hosts):
            if number and services.now() >= limit:
                break
            shown = f"{host.name} [{host.address}] : "
            try:
                answer = self._ask(host)
            except Refused as refused:
                self.cache.save()
                return self._refused(host, refused)
            except Satisfied:
                self.cache.save()
                return self._accepted(RANDOM)
            except (Failure, Unable) as failure:
                why = shown + _text_of(failure)
                continue
            if answer:
                why = shown + answer
                continue
            self.cache.save()
            return self._accepted("")
        self.cache.save()
        return self._deferred(why, len(hosts))

    # --- one host ---------------------------------------------------------------------------------------------------

    def _ask(self, host: Host) -> str:
        """Ask one host: "" if it takes the address, else why that is not known.

        Raises Refused, Satisfied, Failure and Unable.
        """
        context = self.context
        context.facts["callout_address"] = f"[{host.address}]:{host.port}"
        before = (context.host, context.sending)
        context.host = host
        try:
            connection = self._connect(host)
        except BaseException:
            context.host, context.sending = before
            raise
        try:
            return self._dialogue(connection)
        finally:
            connection.quit()
            context.host, context.sending = before

    def _connect(self, host: Host) -> Connection:
        """A connection to the host. A refusal of the banner or of HELO is an answer, for the whole domain."""
        try:
            return open_connection(self.transport, host, self.context, "callout unencrypted to ")
        except Failure as failure:
            if failure.errno == errno.EADDRNOTAVAIL:  # a mistake in the configuration, not the host's trouble
                name = self.address.transport.name if self.address.transport is not None else "smtp"
                text = f"recipient verify defer (making callout connection): T={name} {os.strerror(failure.errno)}"
                log_main_and_panic(self.context, text)
            if failure.permanent and failure.reply is not None:
                self.cache.domain_refused()
                raise _refusal(MAIL, failure.command, failure.reply) from failure
            raise

    def _dialogue(self, connection: Connection) -> str:
        asks_random = bool(self.random_address) and not self.cache.knows_random
        deferred = self._mail(connection, self.sender, "" if asks_random else self._size(connection))
        if deferred:
            return deferred
        if asks_random:
            deferred = self._try_random(connection)
            if deferred:
                return deferred
        deferred = self._recipient(connection)
        if deferred:
            return deferred
        if self.options.postmaster is not None and not self.cache.knows_postmaster:
            return self._try_postmaster(connection)
        return ""

    def _mail(self, connection: Connection, sender: str, parameters: str) -> str:
        line = f"MAIL FROM:<{sender}>"
        reply = connection.ask(line + parameters, self.options.timeout)
        if reply.is_positive:
            self.cache.domain_accepted()
            return ""
        if not reply.is_permanent:
            return _error_after(line, reply)
        if not sender:
            self.cache.null_sender_refused()
        raise _refusal(MAIL, line, reply)

    def _size(self, connection: Connection) -> str:
        """The SIZE parameter, if the size of the message is known already and the host may want to know."""
        size = self.context.message.size
        if not self.is_recipient or size <= 0 or "SIZE" not in connection.features:
            return ""
        return f" SIZE={size + self.context.message.line_count + self.transport.size_addition}"

    def _try_random(self, connection: Connection) -> str:
        line = f"RCPT TO:<{self.random_address}>"
        reply = connection.ask(line, self.options.timeout)
        if reply.is_positive:
            self.cache.random_is(accepted=True)
            raise Satisfied
        if not reply.is_permanent:
            return _error_after(line, reply)
        self.cache.random_is(accepted=False)
        return self._start_again(connection, self.sender, self._size(connection))

    def _start_again(self, connection: Connection, sender: str, parameters: str) -> str:
        reply = connection.ask("RSET", self.options.timeout)
        return self._mail(connection, sender, parameters) if reply.is_positive else _error_after("RSET", reply)

    def _recipient(self, connection: Connection) -> str:
        transport = self.address.transport
        line = f"RCPT TO:<{recipient(self.address, transport is None or transport.rcpt_include_affixes)}>"
        reply = connection.ask(line, self.options.timeout)
        if reply.is_positive:
            self.cache.address_is(accepted=True)
            return ""
        if not reply.is_permanent:
            return _error_after(line, reply)
        self.cache.address_is(accepted=False)
        raise Refused(RECIPIENT, line, str(reply), _error_after(line, reply))

    def _try_postmaster(self, connection: Connection) -> str:
        assert self.options.postmaster is not None
        deferred = self._start_again(connection, self.options.postmaster, "")
        if deferred:
            return deferred
        names = [f"postmaster@{self._domain}"]
        if self.options.fullpostmaster:
            names.append("postmaster")
        line, reply = "", None
        for name in names:
            line = f"RCPT TO:<{name}>"
            reply = connection.ask(line, self.options.timeout)
            if reply.is_positive:
                self.cache.postmaster_is(accepted=True)
                return ""
        assert reply is not None
        if not reply.is_permanent:
            return _error_after(line, reply)
        self.cache.postmaster_is(accepted=False)
        raise Refused(POSTMASTER, line, str(reply), _error_after(line, reply))

    # --- verdicts ---------------------------------------------------------------------------------------------------

    def _accepted(self, failure: str) -> Verified:
        verified = Verified(Result.OK, self.original, self.address)
        verified.is_from_callout = True
        verified.failure = failure
        if self.is_recipient and not failure:
            # The host knows the address, so it is not just anything that somebody made up.
            address = self.address
            verified.domain_data, verified.local_part_data = _plain(address.domain), _plain(address.local_part)
        return verified

    def _refused(self, host: Host, refused: Refused) -> Verified:
        verified = self._failed(refused.failure)
        verified.message = f"{host.name} [{host.address}] : {refused.message}"
        if self.is_recipient and refused.failure == RECIPIENT:
            verified.user_message = f"Callout verification failed:\n{presentable(refused.response)}"
        else:
            response = presentable(refused.response)
            verified.user_message = f"Called:   {host.address}\nSent:     {refused.sent}\nResponse: {response}"
        return verified

    def _remembered(self, result: str, failure: str, text: str) -> Verified:
        """The verdict that the cache has."""
        if result == "accept":
            return self._accepted(failure)
        verified = self._failed(failure)
        verified.message = None
        verified.user_message = text
        return verified

    def _failed(self, failure: str) -> Verified:
        verified = Verified(Result.FAIL, self.original, self.address)
        verified.is_from_callout = True
        verified.failure = failure
        return verified

    def _deferred(self, why: str, hosts: int) -> Verified:
        """No host has an answer."""
        verified = Verified(Result.DEFER, self.original, self.address)
        verified.is_from_callout = True
        verified.failure = RECIPIENT
        who = "recipient" if self.is_recipient else "sender"
        dull = f"Could not complete {who} verify callout"
        verified.message = f"{dull}: {why}" if why and hosts == 1 else dull
        if self.is_recipient:
            details = self.context.config.main.smtp_return_error_details
            verified.user_message = self._explained(dull) if details else dull
        return verified

    def _explained(self, dull: str) -> str:
        return (
            f"{dull} for <{self.address.address}>.\n"
            "The mail server(s) for the domain may be temporarily unreachable, or\n"
            "they may be permanently unreachable from this server. In the latter case,\n"
            "the address will never be accepted."
        )


def presentable(response: str) -> str:
    """A host's words, to be passed on to a client: as far as they are UTF-8."""
    try:
        response.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as error:
        return response[: error.start] + "(truncated)"
    return response


def _with_timeouts(transport: Smtp | None, options: CalloutOptions) -> Smtp:
    """The transport, or a plain one, with the callout's time limits in place of its own."""
    copied = copy.copy(transport) if transport is not None else Smtp()
    copied.__dict__["command_timeout"] = options.timeout
    copied.__dict__["connect_timeout"] = options.connect_timeout or options.timeout
    copied.__dict__["allow_localhost"] = True
    return copied


def _error_after(line: str, reply: Reply) -> str:
    from eximious.send.failure import reply_text

    return f"SMTP error from remote mail server after {line}: {reply_text(reply)}"


def _refusal(failure: str, line: str, reply: Reply) -> Refused:
    """A refusal before any recipient was named."""
    from eximious.send.failure import reply_text

    return Refused(failure, line, str(reply), f'response to "{line}" was: {reply_text(reply)}')


def _text_of(failure: Failure | Unable) -> str:
    if isinstance(failure, Unable):
        return failure.outcome.message
    return failure.message or (os.strerror(failure.errno) if failure.errno > 0 else "connection failed")


def _plain(text: str) -> str:
    return str(text) if is_tainted(text) else text

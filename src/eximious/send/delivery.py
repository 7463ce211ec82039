"""A run of the smtp transport: host after host, until everything is delivered or no host is left.

(Exim specification, "The smtp transport", "Errors in outgoing SMTP", "Long-term failures".)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.retry.keys import recipient_key
from eximious.retry.updates import RetryUpdate
from eximious.send import waiting_messages
from eximious.send.connection import Connection
from eximious.send.failure import HOST, MESSAGE, RECIPIENT, Failure
from eximious.send.hosts import (
    DEFERRED as LOOKUP_DEFERRED,
)
from eximious.send.hosts import (
    FAILED as LOOKUP_FAILED,
)
from eximious.send.hosts import (
    UNUSABLE,
    UNUSABLE_EXPIRED,
    USABLE,
    Judgement,
    find_hosts,
    judge,
    no_such_host,
)
from eximious.send.opening import hello_name, interface_for, is_listed, more_errno_of, open_connection
from eximious.send.pool import Pool
from eximious.send.serializing import connection_slot
from eximious.send.transaction import Transaction, mail_parameters
from eximious.transports.content import HeaderChangeFailed
from eximious.transports.filtering import message_content
from eximious.transports.outcome import (
    DEFERRED,
    DELIVERED,
    EXPAND_FAILED,
    EXPLICITLY_QUEUED,
    HEADER_CHANGE_FAILED,
    HOST_RETRY,
    RCPT_4XX,
    Outcome,
    Unable,
    deferred,
    delivered,
    failed,
)
from eximious.transports.transform import Transform

if TYPE_CHECKING:
    from eximious.address.delivery import Host
    from eximious.context import Context
    from eximious.transports.base import Batch
    from eximious.transports.job import Content
    from eximious.transports.smtp import Smtp

PLAIN = Transform()


class Delivery:
    """One batch by one transport."""

    def __init__(self, transport: Smtp, batch: Batch, context: Context) -> None:
        self.transport = transport
        self.batch = batch
        self.context = context
        self.message = context.message
        self.outcomes: list[Outcome | None] = [None] * len(batch.addresses)
        self.pending = list(range(len(batch.addresses)))
        self.updates: list[RetryUpdate] = []  # about hosts: for all addresses
        self.tally: dict[str, int] = {"retry": 0, "failed": 0, "deferred": 0, "serial": 0}
        self.hosts: list[Host] = []
        self.all_expired = True
        self.skipped = False  # some host was left alone, and may work later
        self.met_host_error = False
        how = context.facts.get("how")
        self.forced = bool(how is not None and how.forced)
        self.route_only = bool(how is not None and (how.route_only or how.no_remote))

    def run(self) -> list[Outcome]:
        """Deliver. Raises Unable."""
        self.hosts = find_hosts(self.transport, self.batch, self.context)
        if self.message.dont_deliver:
            return self._pretend()
        self._check_line_lengths()
        if self.route_only:
            waiting_messages.note(self.context, self.transport.name, self.hosts)
            return [deferred(EXPLICITLY_QUEUED, 0) for _ in self.batch.addresses]
        if len(self.hosts) == 1 and self.hosts[0].status and self.hosts[0].why in (LOOKUP_FAILED, LOOKUP_DEFERRED):
            raise no_such_host(self.hosts[0])
        self._try_hosts()
        return self._finish()

    def _pretend(self) -> list[Outcome]:
        """-N."""
        outcomes = []
        for _ in self.batch.addresses:
            outcome = delivered()
            outcome.host = self.hosts[0]
            outcome.confirmation = "delivery bypassed by -N option"
            outcomes.append(outcome)
        return outcomes

    def _check_line_lengths(self) -> None:
        limit = self.transport.message_linelength_limit
        if 0 < limit < self.message.max_received_line_length:
            longest = self.message.max_received_line_length
            text = f"message has lines too long for transport (received {longest}, limit {limit})"
            raise Unable(failed(text, 0))

    # --- the hosts --------------------------------------------------------------------------------------------------

    def _try_hosts(self) -> None:
        tried = unexpired = 0
        domain = self.batch.addresses[0].domain
        for host in self.hosts:
            if not self.pending:
                return
            if host.status:
                self.tally[host.why if host.why in self.tally else "failed"] += 1
                self.all_expired = False
                continue
            judgement = judge(host, self.transport, domain, self.context, forced=self.forced)
            if not self._may_try(host, judgement):
                continue
            if tried >= self.transport.hosts_max_try_hardlimit or unexpired >= self.transport.hosts_max_try:
                self.skipped = True
                return
            tried += 1
            unexpired += not judgement.is_expired
            self._try(host, judgement)

    def _may_try(self, host: Host, judgement: Judgement) -> bool:
        """What the retry hints say."""
        self.all_expired = self.all_expired and judgement.is_expired
        if host.status == USABLE:
            return True
        is_late = host.status == UNUSABLE_EXPIRED and not self.transport.delay_after_cutoff
        if is_late and host.last_try <= self.message.received_at:
            host.status = USABLE
            return True
        self.tally["retry"] += 1
        if host.status == UNUSABLE:
            self.skipped = True
        return False

    def _try(self, host: Host, judgement: Judgement) -> None:
        """One host."""
        self.context.host = host
        try:
            with connection_slot(self.transport, host, self.context) as entered:
                if not entered:
                    self.tally["serial"] += 1
                    self.skipped = True
                    return
                self._deliver_to(host)
        except Failure as failure:
            self._failed(host, judgement, failure)
        else:
            self._worked(judgement)
        finally:
            self.context.sending = None
            self.context.host = None

    def _worked(self, judgement: Judgement) -> None:
        """The host is in order, whatever it said of recipients."""
        if judgement.knew_host:
            self.updates.append(RetryUpdate(judgement.host_key, works=True))
        if judgement.knew_message:
            self.updates.append(RetryUpdate(judgement.message_key, works=True))

    # --- one host ---------------------------------------------------------------------------------------------------

    def _deliver_to(self, host: Host, *, in_clear: bool = False) -> None:
        """Send the message to the host for the recipients that are left. Raises Failure."""
        key = self._pool_key(host)
        pool = Pool.of(self.context.services)
        connection = None if in_clear else pool.take(key)
        if connection is not None:
            try:
                self._send(connection, key, pool)
            except Failure as failure:
                # The host may have ended the idle connection just now: that says nothing about the host.
                if not (failure.is_gone and failure.command.startswith(("MAIL ", "pipelined MAIL "))):
                    raise
            else:
                return
        try:
            connection = open_connection(self.transport, host, self.context, in_clear=in_clear)
        except Failure as failure:
            if failure.is_tls and not in_clear and self._may_go_on_in_clear(host, failure):
                self._deliver_to(host, in_clear=True)
                return
            raise
        self._send(connection, key, pool)

    def _pool_key(self, host: Host) -> tuple[Any, ...]:
        transport, context = self.transport, self.context
        return (
            transport.name,
            host.name.lower(),
            host.address,
            host.port,
            interface_for(transport, host, context),
            hello_name(transport, context),
        )

    def _may_go_on_in_clear(self, host: Host, failure: Failure) -> bool:
        transport = self.transport
        if transport.protocol == "smtps" or not transport.tls_tempfail_tryclear:
            return False
        if is_listed(transport, "hosts_require_tls", host, self.context):
            return False
        logs, name = self.context.services.logs, self.message.id
        where = f"{host.name} [{host.address}]"
        logs.main(
            f"TLS session: {failure.message.removeprefix('TLS session: ')}: delivering unencrypted to "
            f"H={where} (not in hosts_require_tls)",
            name,
        )
        return True

    def _send(self, connection: Connection, key: tuple[Any, ...], pool: Pool) -> None:
        """Send the message over the connection, and keep that for the next one. Raises Failure."""
        context = self.context
        context.sending = connection
        connection.sent = _copy_sent(connection)
        addresses = [self.batch.addresses[number] for number in self.pending]
        transaction = self._transaction(connection, addresses)
        content = _LazyContent(self)
        try:
            transaction.run(content.pieces, self.message.size)
        except Failure as failure:
            self._take(transaction)
            if not failure.is_gone and not connection.is_broken:
                connection.quit()
            else:
                connection.close()
            raise
        except Unable as error:
            self._take(transaction)
            connection.close()
            self._fail_with(error.outcome, connection.host)
            return
        finally:
            content.close()
        self._take(transaction)
        pool.give(key, connection)

    def _fail_with(self, outcome: Outcome, host: Host) -> None:
        """The message cannot be made: that is nobody's fault but ours."""
        for number in self.pending:
            self.outcomes[number] = outcome.copy()
            self.outcomes[number].host = host  # type: ignore[union-attr]
        self.pending = []

    def _transaction(self, connection: Connection, addresses: list[Any]) -> Transaction:
        transport, host, context = self.transport, connection.host, self.context
        connection.uses_pipelining = "PIPELINING" in connection.features and not is_listed(
            transport, "hosts_avoid_pipelining", host, context
        )
        transaction = Transaction(
            connection,
            self.message,
            self.batch.used_return_path,
            addresses,
            chunking=is_listed(transport, "hosts_try_chunking", host, context),
        )
        offered = "PRDR" in connection.features and len(addresses) > 1
        transaction.uses_prdr = offered and is_listed(transport, "hosts_try_prdr", host, context)
        transaction.mail_parameters = mail_parameters(
            connection,
            self.message,
            size=self.message.size,
            authenticated_sender=self._authenticated_sender(connection),
            prdr=transaction.uses_prdr,
        )
        sent = connection.sent
        sent.pipelining = connection.uses_pipelining
        sent.chunking = transaction.uses_chunking
        sent.prdr = transaction.uses_prdr
        sent.reused = connection.messages > 0
        return transaction

    def _authenticated_sender(self, connection: Connection) -> str | None:
        """For the AUTH parameter of MAIL; None for no parameter. Raises Failure."""
        transport = self.transport
        sender = self.message.authenticated_sender or None
        if transport.authenticated_sender is not None:
            try:
                sender = transport.authenticated_sender.expand(self.context) or sender
            except ForcedFail:
                pass
            except (ExpandError, Defer) as error:
                text = f"failed to expand authenticated_sender: {error}"
                raise Failure(text, EXPAND_FAILED, scope=MESSAGE) from error
        if not (connection.is_authenticated or (transport.authenticated_sender_force and sender)):
            return None
        if not connection.is_authenticated and not transport.authenticated_sender_force:
            return None
        connection.sent.mailauth_sender = sender or ""
        return sender

    def _take(self, transaction: Transaction) -> None:
        """What the host said of recipients. Who was refused for now may do better with another host."""
        left = []
        for position, number in enumerate(self.pending):
            outcome = transaction.outcomes[position]
            if outcome is None:
                left.append(number)
                continue
            self.outcomes[number] = outcome
            if outcome.status == DEFERRED:
                if outcome.errno == RCPT_4XX or position == transaction.timed_out:
                    self._learn_of_recipient(number, outcome)
                left.append(number)
        self.pending = left

    def _learn_of_recipient(self, number: int, outcome: Outcome) -> None:
        address = self.batch.addresses[number]
        sender = self.message.sender if self.transport.address_retry_include_sender else None
        update = RetryUpdate(
            recipient_key(address.address, sender),
            errno=outcome.errno,
            more_errno=outcome.more_errno,
            message=outcome.message,
        )
        update.is_message = True
        outcome.retries = [update]

    # --- failures ---------------------------------------------------------------------------------------------------

    def _failed(self, host: Host, judgement: Judgement, failure: Failure) -> None:
        """The host does not work, or does not take the message."""
        failure.more_errno = failure.more_errno or more_errno_of(host)
        if failure.permanent:
            self._fail_all(host, failure)
            if failure.scope == MESSAGE:
                self._worked(judgement)
            return
        if failure.scope == RECIPIENT:
            return  # the transaction has said what that means
        self._log(host, failure)
        for number in self.pending:
            self.outcomes[number] = self._deferral(host, failure)
        update = RetryUpdate(
            judgement.host_key if failure.scope == HOST else judgement.message_key,
            errno=failure.errno,
            more_errno=failure.more_errno,
            message=failure.message,
        )
        update.host = host
        update.alternate = self.batch.addresses[0].domain
        update.is_message = failure.scope == MESSAGE
        self.updates.append(update)
        self.met_host_error = self.met_host_error or failure.scope == HOST

    def _deferral(self, host: Host, failure: Failure) -> Outcome:
        outcome = deferred(failure.message, failure.errno, failure.more_errno)
        if failure.connected:
            outcome.host = host
            outcome.sent = self._sent_to(host)
        if failure.reply is not None:
            outcome.user_message = failure.message
        outcome.tries_fallback = failure.scope == HOST
        return outcome

    def _sent_to(self, host: Host) -> Any:
        connection = self.context.sending
        return connection.sent if connection is not None and connection.host is host else None

    def _fail_all(self, host: Host, failure: Failure) -> None:
        for number in self.pending:
            outcome = failed(failure.message, failure.errno)
            outcome.user_message = failure.message
            outcome.host = host
            outcome.sent = self._sent_to(host)
            self.outcomes[number] = outcome
        self.pending = []

    def _log(self, host: Host, failure: Failure) -> None:
        """A line about the host, in the main log and the message's own."""
        if self.transport.disable_logging:
            return
        selected = self.context.services.logs.selected
        port = f":{host.port}" if "outgoing_port" in selected else ""
        text = f"H={host.name} [{host.address}]{port}"
        if failure.message:
            text += f": {failure.message}"
            if failure.errno > 0:
                text += f": {os.strerror(failure.errno)}"
        elif failure.errno > 0:
            text += f" {os.strerror(failure.errno)}"
        self.context.services.logs.main(text, self.message.id)
        note = self.context.facts.get("note")
        if note is not None:
            note(text)

    # --- the end ----------------------------------------------------------------------------------------------------

    def _finish(self) -> list[Outcome]:
        """All outcomes, also of those for whom no host could be tried."""
        result = []
        still_pending = set(self.pending)
        for number in range(len(self.batch.addresses)):
            outcome = self.outcomes[number]
            if outcome is None:
                outcome = self._untried()
            if number in still_pending:
                outcome.retry_skipped = self.skipped
            if outcome.status == DEFERRED or outcome.status == DELIVERED or number in still_pending:
                outcome.retries = outcome.retries + self.updates
            result.append(outcome)
        if self.pending and (self.met_host_error or self.tally["retry"]):
            waiting_messages.note(self.context, self.transport.name, self.hosts)
        return result

    def _untried(self) -> Outcome:
        """Why no host was tried."""
        tally, total = self.tally, len(self.hosts)
        domain = self.batch.addresses[0].domain
        if tally["retry"] == total and self.all_expired:
            outcome = failed(
                f"all hosts for '{domain}' have been failing for a long time (and retry time not reached)", 0
            )
            outcome.user_message = outcome.message
            return outcome
        if tally["retry"] == total:
            outcome = deferred(f"retry time not reached for any host for '{domain}'", HOST_RETRY)
        elif tally["failed"] == total:
            outcome = failed("all host address lookups failed permanently", 0)
        elif tally["deferred"] == total:
            outcome = deferred("all host address lookups failed temporarily", 0)
        elif tally["serial"] == total:
            outcome = deferred("connection limit reached for all hosts", 0)
        elif tally["failed"] + tally["deferred"] == total:
            outcome = deferred("all host address lookups failed", 0)
        else:
            why = "retry time not reached for other hosts or connection limit reached"
            outcome = deferred(f"some host address lookups failed and {why}", 0)
        outcome.tries_fallback = True
        return outcome


def _copy_sent(connection: Connection) -> Any:
    """What is logged about the connection, for one more message."""
    sent = connection.sent
    copy = type(sent)()
    for name in type(sent).__slots__:
        setattr(copy, name, getattr(sent, name))
    return copy


class _LazyContent:
    """The message, made when the host is ready for it."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._content: Content | None = None

    def pieces(self) -> Iterator[bytes]:
        """The text in pieces. Raises Unable."""
        delivery = self._delivery
        try:
            self._content = message_content(delivery.transport, delivery.batch, delivery.context, PLAIN)
        except HeaderChangeFailed as error:
            raise Unable(deferred(str(error), HEADER_CHANGE_FAILED)) from error
        return self._content.pieces()

    def close(self) -> None:
        """Close the file of the body, if there is one."""
        if self._content is not None and self._content.descriptor is not None:
            os.close(self._content.descriptor)
            self._content.descriptor = None

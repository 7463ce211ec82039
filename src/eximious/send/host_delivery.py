"""Sending a message to one host: over an idle connection or a new one, in as many transactions as the host wants.

(Exim specification, "The smtp transport", option max_rcpt; RFC 5321 section 4.5.3.1.10; RFC 9422 LIMITS.)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from eximious import waiting
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.send import arc_seal, dkim_sign, waiting_messages
from eximious.send.failure import MESSAGE, Failure
from eximious.send.opening import hello_name, interface_for, is_listed, open_connection
from eximious.send.parameters import mail_parameters
from eximious.send.pool import Key, Pool
from eximious.send.transaction import Transaction
from eximious.transports.content import HeaderChangeFailed
from eximious.transports.filtering import message_content
from eximious.transports.outcome import DEFERRED, DELIVERED, EXPAND_FAILED, HEADER_CHANGE_FAILED, Unable, deferred
from eximious.transports.transform import Transform

if TYPE_CHECKING:
    from eximious.address.delivery import Address, Host
    from eximious.send.connection import Connection
    from eximious.send.delivery import Delivery
    from eximious.transports.job import Content

PLAIN = Transform()


class HostDelivery:
    """One batch to one host. What the host says of recipients goes into the delivery."""

    def __init__(self, delivery: Delivery, host: Host) -> None:
        self.delivery = delivery
        self.host = host
        self.transport = delivery.transport
        self.context = delivery.context
        self.message = delivery.message
        self.pool = Pool.of(delivery.context.services)
        self.key = self._pool_key()
        self.untried = list(delivery.pending)  # the numbers of recipients that are still to be named to the host

    def run(self) -> None:
        """Send the message for all recipients that are pending. Raises Failure."""
        while self.untried:
            connection = self.pool.take(self.key)
            if connection is not None:
                try:
                    self._send(connection)
                except Failure as failure:
                    # The host may have ended the idle connection just now: that says nothing about the host.
                    if not (failure.is_gone and failure.command.startswith(("MAIL ", "pipelined MAIL ", "RSET"))):
                        raise
                else:
                    continue
            self._send(open_connection(self.transport, self.host, self.context))

    def _pool_key(self) -> Key:
        """What has to be the same for a connection to be used again."""
        transport, host, context = self.transport, self.host, self.context
        return (
            transport.name,
            host.name.lower(),
            host.address,
            host.port,
            interface_for(transport, host, context),
            hello_name(transport, context),
        )

    # --- one connection ---------------------------------------------------------------------------------------------

    def _send(self, connection: Connection) -> None:
        """Transactions over the connection until all recipients are named, or it has done enough. Raises Failure."""
        self.context.sending = connection
        while True:
            transaction = self._transact(connection)
            if transaction is None:
                return
            if not self.untried:
                break
            if connection.said_quit or self._has_done_enough(connection):
                connection.quit()
                return
        if self._may_serve_again(connection, transaction):
            self.pool.give(self.key, connection)
        else:
            connection.quit()

    def _transact(self, connection: Connection) -> Transaction | None:
        """One transaction; None if the connection is of no use any more, and no recipient of interest."""
        connection.sent = _copy_sent(connection)
        numbers = self._next_part(connection)
        transaction = self._transaction(connection, [self.delivery.batch.addresses[number] for number in numbers])
        transaction.is_all_or_nothing = self.context.config.main.mua_wrapper
        transaction.is_last = len(numbers) == len(self.untried) and not self._may_be_followed()
        content = _LazyContent(self.delivery)
        try:
            transaction.run(content.pieces, self.message.size)
        except Failure as failure:
            self.delivery.take(numbers, transaction)
            if failure.is_gone or connection.is_broken:
                connection.close()
            else:
                connection.quit()
            raise
        except Unable as error:
            self.delivery.take(numbers, transaction)
            connection.close()
            self.delivery.fail_with(error.outcome, self.host)
            self.untried = []
            return None
        finally:
            content.close()
        self.delivery.take(numbers, transaction)
        if transaction.is_all_or_nothing and self._must_give_up(transaction):
            connection.quit()
            return None
        excess = [numbers[position] for position in transaction.excess]
        self.untried = excess + [number for number in self.untried if number not in set(numbers)]
        return transaction

    def _must_give_up(self, transaction: Transaction) -> bool:
        """With mua_wrapper: if a recipient was refused, nobody gets the message."""
        refusals = [outcome for outcome in transaction.outcomes if outcome is not None and outcome.status != DELIVERED]
        if not refusals:
            return False
        self.delivery.fail_with(refusals[0], self.host, also_judged=False)
        self.untried = []
        return True

    def _next_part(self, connection: Connection) -> list[int]:
        """The recipients of the next transaction: as many as we and the host want to have in one."""
        limits = connection.limits
        most = 0 if self.context.config.main.mua_wrapper else _least(self._own_limit(), limits.recipients)
        if not most and not limits.domains:
            return list(self.untried)
        part: list[int] = []
        domains: set[str] = set()
        for number in self.untried:
            domain = self.delivery.batch.addresses[number].domain
            if limits.domains and domain not in domains and len(domains) >= limits.domains:
                continue
            domains.add(domain)
            part.append(number)
            if len(part) == most:
                break
        return part

    def _own_limit(self) -> int:
        """max_rcpt; 0 if there is no limit."""
        template = self.transport.max_rcpt
        if template is None:
            return 0
        try:
            return max(0, int((template.constant or template.expand(self.context)).strip()))
        except (ExpandError, Defer, ValueError) as error:
            raise Failure(f'failed to expand max_rcpt "{template.source}": {error}', EXPAND_FAILED) from None

    def _has_done_enough(self, connection: Connection) -> bool:
        most = connection.limits.messages
        return bool(most) and connection.messages >= most

    def _may_serve_again(self, connection: Connection, transaction: Transaction) -> bool:
        """Whether the connection is worth keeping: the host takes mail, and there is or may be more for it."""
        if connection.said_quit or self._has_done_enough(connection):
            return False
        if connection.tls is not None and is_listed(self.transport, "hosts_nopass_tls", self.host, self.context):
            return False
        if not any(outcome is not None and outcome.status != DEFERRED for outcome in transaction.outcomes):
            return False
        return self._may_be_followed()

    def _may_be_followed(self) -> bool:
        """Another message may come for the host. The daemon has to reckon with that; else the hints say it."""
        if self.delivery.batch.is_followed:
            return True
        if waiting.on_loop():
            return True
        return waiting_messages.has_any(
            self.context.services.hints, self.transport.name, self.host.name, self.message.id
        )

    # --- one transaction --------------------------------------------------------------------------------------------

    def _transaction(self, connection: Connection, addresses: list[Address]) -> Transaction:
        transport, context = self.transport, self.context
        connection.uses_pipelining = "PIPELINING" in connection.features and not is_listed(
            transport, "hosts_avoid_pipelining", self.host, context
        )
        transaction = Transaction(
            connection,
            self.message,
            self.delivery.batch.used_return_path,
            addresses,
            chunking=is_listed(transport, "hosts_try_chunking", self.host, context),
        )
        offered = "PRDR" in connection.features and len(addresses) > 1
        transaction.uses_prdr = offered and is_listed(transport, "hosts_try_prdr", self.host, context)
        transaction.mail_parameters = mail_parameters(
            connection,
            self.message,
            size=self.message.size + self.message.line_count,  # each line end is two octets on the wire
            authenticated_sender=self._authenticated_sender(connection),
            prdr=transaction.uses_prdr,
        )
        sent = connection.sent
        sent.pipelining = connection.uses_pipelining
        sent.chunking = transaction.uses_chunking
        sent.prdr = transaction.uses_prdr
        sent.reused = connection.messages > 0
        sent.shows_identity = connection.message_id in ("", self.message.id)
        connection.message_id = self.message.id
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
        connection.sent.mailauth_sender = sender or ""
        return sender


def _least(one: int, other: int) -> int:
    """The smaller of two limits; 0 is none."""
    return min(one, other) if one and other else one or other


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
        transport, context, content = delivery.transport, delivery.context, self._content
        fields = b""
        if dkim_sign.is_wanted(transport):
            fields, signed = dkim_sign.signatures(transport, context, content.pieces())
            if context.sending is not None:
                context.sending.sent.dkim = signed
        if transport.arc_sign is not None:
            fields = arc_seal.fields(transport, context, chain((fields,), content.pieces())) + fields
        return chain((fields,), content.pieces()) if fields else content.pieces()

    def close(self) -> None:
        """Close the file of the body, if there is one."""
        if self._content is not None and self._content.descriptor is not None:
            os.close(self._content.descriptor)
            self._content.descriptor = None

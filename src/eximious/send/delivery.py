"""A run of the smtp transport: host after host, until everything is delivered or no host is left.

(Exim specification, "The smtp transport", "Errors in outgoing SMTP", "Long-term failures".)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from eximious.retry.keys import recipient_key
from eximious.retry.rules import find_rule
from eximious.retry.updates import RetryUpdate
from eximious.send import waiting_messages
from eximious.send.failure import HOST, MESSAGE, RECIPIENT, Failure
from eximious.send.host_delivery import HostDelivery
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
    no_such_hosts,
)
from eximious.send.opening import more_errno_of
from eximious.send.pool import Pool
from eximious.send.serializing import connection_slot
from eximious.send.transaction import Transaction
from eximious.transports.outcome import (
    DEFERRED,
    EXPLICITLY_QUEUED,
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
        self.learnt: dict[int, list[RetryUpdate]] = {}  # about recipients, by their number
        self.judged: set[int] = set()  # recipients of whom the present host has spoken
        self.skipped = False  # some host was left alone, and may work later
        self.met_host_error = False
        how = context.facts.get("how")
        self.forced = bool(how is not None and how.forced)
        self.continued = bool(how is not None and how.continued)
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
        if all(host.status and host.why in (LOOKUP_FAILED, LOOKUP_DEFERRED) for host in self.hosts):
            raise no_such_hosts(self.hosts)
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
        """Host after host; see "How the limits for the number of hosts to try are used" for when to stop."""
        transport, domain = self.transport, self.batch.addresses[0].domain
        tried = counted = 0
        position = 0
        while self.pending and position < len(self.hosts):
            host = self.hosts[position]
            following = position + 1
            if host.status:
                self.tally[host.why if host.why in self.tally else "failed"] += 1
                self.all_expired = False
                position = following
                continue
            judgement = judge(host, transport, domain, self.context, forced=self._is_forced(host))
            if not self._may_try(host, judgement):
                position = following
                continue
            if tried >= transport.hosts_max_try_hardlimit:
                return
            if counted >= transport.hosts_max_try:
                self.skipped = True
                return
            tried += 1
            if not judgement.is_expired:
                counted += 1
                other = self._other_preference(position)
                if counted >= transport.hosts_max_try and other is not None:
                    counted -= 1
                    following = other
            self._try(host, judgement)
            if counted and self.pending and self._has_waited_too_long_for(host):
                counted -= 1
            position = following

    def _other_preference(self, position: int) -> int | None:
        """The position of the next host with another MX preference."""
        preference = self.hosts[position].mx
        later = range(position + 1, len(self.hosts))
        return next((one for one in later if self.hosts[one].mx != preference), None)

    def _has_waited_too_long_for(self, host: Host) -> bool:
        """The message is older than the host's retry rule allows: then all hosts are to be tried."""
        rule = find_rule(self.context, host.name, "", 0, 0, self.message.sender)
        return rule is None or self.context.services.now() - self.message.received_at > rule.cutoff

    def _is_forced(self, host: Host) -> bool:
        """Whatever the hints say: somebody wants that, or there is a connection to the host."""
        return self.forced or (self.continued and Pool.of(self.context.services).has(self.transport.name, host))

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
        self.judged = set()
        try:
            with connection_slot(self.transport, host, self.context) as entered:
                if not entered:
                    self.tally["serial"] += 1
                    self.skipped = True
                    return
                HostDelivery(self, host).run()
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

    # --- verdicts ---------------------------------------------------------------------------------------------------

    def take(self, numbers: list[int], transaction: Transaction) -> None:
        """What the host said of these recipients. Who was refused for now may do better with another host."""
        for position, number in enumerate(numbers):
            outcome = transaction.outcomes[position]
            if outcome is None:
                continue
            self.outcomes[number] = outcome
            self.judged.add(number)
            if outcome.status != DEFERRED:
                self.pending.remove(number)
                continue
            if outcome.errno == RCPT_4XX and outcome.host is not None:
                outcome.more_errno |= more_errno_of(outcome.host)
            if outcome.errno == RCPT_4XX or position == transaction.timed_out:
                self._learn_of_recipient(number, outcome)
                if outcome.host is not None and self.context.host is not self.hosts[-1]:
                    self._note(f"H={outcome.host.name} [{outcome.host.address}] {outcome.message}")

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
        update.by = outcome.host
        self.learnt.setdefault(number, []).append(update)

    def fail_with(self, outcome: Outcome, host: Host, *, also_judged: bool = True) -> None:
        """Nobody else gets the message, and no other host is tried."""
        for number in self.pending if also_judged else self._unjudged():
            self.outcomes[number] = outcome.copy()
            self.outcomes[number].host = host  # type: ignore[union-attr]
        self.pending = []

    # --- failures ---------------------------------------------------------------------------------------------------

    def _failed(self, host: Host, judgement: Judgement, failure: Failure) -> None:
        """The host does not work, or does not take the message."""
        if not failure.more_errno & 255:
            failure.more_errno |= more_errno_of(host)
        if failure.permanent:
            if failure.scope == HOST:
                self._log(host, failure)
                self._learn_of_host(host, judgement, failure)
            else:
                self._worked(judgement)
            self._fail_all(host, failure)
            return
        if failure.scope == RECIPIENT:
            return  # the transaction has said what that means
        if not failure.is_tls:  # the recipients' lines say that TLS failed
            self._log(host, failure)
        for number in self._unjudged():
            self.outcomes[number] = self._deferral(number, host, failure)
        self._learn_of_host(host, judgement, failure)
        self.met_host_error = self.met_host_error or failure.scope == HOST

    def _learn_of_host(self, host: Host, judgement: Judgement, failure: Failure) -> None:
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

    def _deferral(self, number: int, host: Host, failure: Failure) -> Outcome:
        outcome = deferred(failure.message, failure.errno, failure.more_errno)
        before = self.outcomes[number]
        if failure.connected:
            outcome.host = host
            outcome.sent = self._sent()
        elif before is not None:
            outcome.host, outcome.sent = before.host, before.sent  # what another host said may be the reason
        if failure.reply is not None:
            outcome.user_message = failure.message
        outcome.tries_fallback = failure.scope == HOST
        return outcome

    def _sent(self) -> Any:
        connection = self.context.sending
        return connection.sent if connection is not None else None

    def _unjudged(self) -> list[int]:
        """Those whom a failure of the host, or of the message there, concerns."""
        return [number for number in self.pending if number not in self.judged]

    def _fail_all(self, host: Host, failure: Failure) -> None:
        for number in self._unjudged():
            outcome = failed(failure.message, failure.errno)
            outcome.user_message = failure.message
            outcome.host = host
            outcome.sent = self._sent()
            self.outcomes[number] = outcome
        self.pending = [number for number in self.pending if number in self.judged]

    def _log(self, host: Host, failure: Failure) -> None:
        """A line about the host."""
        selected = self.context.services.logs.selected
        port = f":{host.port}" if "outgoing_port" in selected else ""
        text = f"H={host.name} [{host.address}]{port}"
        if failure.message:
            text += f": {failure.message}"
            if failure.errno > 0:
                text += f": {os.strerror(failure.errno)}"
        elif failure.errno > 0:
            text += f" {os.strerror(failure.errno)}"
        self._note(text)

    def _note(self, text: str) -> None:
        """A line for the main log and the message's own."""
        if self.transport.disable_logging:
            return
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
            outcome.retries = outcome.retries + self.updates
            if outcome.status == DEFERRED:
                outcome.retries += self.learnt.get(number, [])
            result.append(outcome)
        is_wrapper = self.context.config.main.mua_wrapper
        if not is_wrapper and self.pending and (self.met_host_error or self.tally["retry"]):
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
        elif tally["serial"] == total:
            outcome = deferred("connection limit reached for all hosts", 0)
        else:
            why = "retry time not reached for other hosts or connection limit reached"
            outcome = deferred(f"some host address lookups failed and {why}", 0)
        outcome.tries_fallback = True
        return outcome

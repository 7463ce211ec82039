"""What becomes of the addresses of one message during one attempt: the lists they end up in, and what is logged.

(Exim specification, "Logging deliveries", "Reducing or increasing what is logged".)
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from eximious.deliver import lines
from eximious.deliver.done import Done
from eximious.octets import SPACE
from eximious.smtp.dsn import SUCCESS
from eximious.spool.errors import SpoolError
from eximious.transports.outcome import DEFERRED, DELIVERED, EXPLICITLY_QUEUED, FREEZE, ROUTING_RETRY, Outcome

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.deliver.how import How
    from eximious.services import Services
    from eximious.spool.claimed import Claimed


class Progress:
    """The state of one attempt."""

    def __init__(self, claimed: Claimed, services: Services, context: Context, how: How) -> None:
        self.claimed = claimed
        self.message = claimed.message
        self.services = services
        self.context = context
        self.how = how
        self.started_at = services.now()
        self.selected = services.logs.selected
        self.done = Done(claimed)
        self.local: list[Address] = []  # still to be delivered
        self.remote: list[Address] = []
        self.succeeded: list[Address] = []
        self.deferred: list[Address] = []
        self.failed: list[Address] = []
        self.retry_updates: dict[int, list[Any]] = {}  # by id() of the address
        self.retry_skipped: set[int] = set()  # addresses of which some host was left alone
        self.notify_success: list[Address] = []  # a success DSN is due from here
        self.is_changed = False  # the message's state must be stored
        self.wrapper_failed = False  # with mua_wrapper: the caller has been told that the message is not delivered
        self.is_timed_out = False  # it has been frozen for so long that it is given up
        self.frozen_note: str | None = None  # why the message is to be frozen, for the log; None if it is not

    # --- logs -------------------------------------------------------------------------------------------------------

    def log(self, text: str) -> None:
        """A line for the main log."""
        self.services.logs.main(text, self.message.id)

    def note(self, text: str) -> None:
        """A line for the message's own log, with the time."""
        self.note_plain(f"{stamp(self.services.now())} {text}")

    def note_plain(self, text: str) -> None:
        """The same without the time. That log is a convenience: a failure to write it is logged and no more."""
        try:
            self.claimed.log(text)
        except SpoolError as error:
            self.services.logs.panic(str(error), self.message.id)

    # --- outcomes ---------------------------------------------------------------------------------------------------

    def settle(self, address: Address, outcome: Outcome, *, flag: str = "=>", is_routing: bool = False) -> None:
        """File an address under what became of it, and log that."""
        address.result = outcome
        if outcome.output is not None and not is_routing:
            self._log_output(address, outcome)
        if outcome.status == DELIVERED:
            self._delivered(address, outcome, flag)
        elif outcome.status == DEFERRED:
            self._deferred(address, outcome, is_routing=is_routing)
        else:
            self._failed(address, outcome)

    def _log_output(self, address: Address, outcome: Outcome) -> None:
        if outcome.log_output and outcome.output:
            first = outcome.output.split(b"\n", 1)[0].decode("latin-1").rstrip(SPACE)
            name = address.redirected_file or address.address
            self.log(f"<{name}>: {address.transport.name} transport output: {first}")

    def _delivered(self, address: Address, outcome: Outcome, flag: str) -> None:
        transport = address.transport
        if not (transport is not None and transport.disable_logging):
            name = lines_name(address)
            kind = f"{transport.name} transport" if transport is not None else "**bypassed** transport"
            self.note(f"{name}: {kind} succeeded")
            text = lines.delivered_line(
                "*>" if self.message.dont_deliver else flag,
                address,
                outcome,
                self._shown_sender(),
                self._times(outcome),
                self.selected,
            )
            self.log(text)
        wants_dsn = address.recipient is not None and address.recipient.dsn_flags & SUCCESS
        if wants_dsn and not outcome.dsn_relayed:
            self.notify_success.append(address)
        self.succeeded.append(address)
        self.is_done(address)

    def without_duplicates(self, addresses: list[Address]) -> list[Address]:
        """Leave out what was delivered by an earlier attempt, and all but the first of the same name."""
        names: set[str] = set()
        kept = []
        for address in addresses:
            if self.done.was_transported(address):
                self.is_done(address)
            elif address.unique in names:
                self.done.add_duplicate(address)
            else:
                names.add(address.unique)
                kept.append(address)
        return kept

    def is_done(self, address: Address) -> None:
        """The address needs nothing more; perhaps its parents do not either."""
        for parent in self.done.add(address):
            if not _has_ancestor_of_that_name(parent):
                self.note(f"{parent.address}: children all complete")

    def _shown_sender(self) -> str | None:
        if "sender_on_delivery" not in self.selected:
            return None
        return self.message.sender

    def _times(self, outcome: Outcome) -> str:
        """``QT=`` and ``DT=``."""
        parts = []
        millisec = "millisec" in self.selected
        if "queue_time" in self.selected:
            begun = self.message.received_at
            if "queue_time_exclusive" in self.selected:
                begun += self.message.received_complete_seconds
            parts.append(f"QT={duration(self.services.now() - begun, millisec)}")
        parts.append(self._took(outcome))
        return " ".join(filter(None, parts))

    def _took(self, outcome: Outcome) -> str:
        """``DT=``, if it is shown."""
        if "deliver_time" not in self.selected:
            return ""
        return f"DT={duration(outcome.took, 'millisec' in self.selected)}"

    def _deferred(self, address: Address, outcome: Outcome, *, is_routing: bool) -> None:
        self.deferred.append(address)
        if outcome.special_action == FREEZE:
            self.freeze("")
        is_early = outcome.errno <= ROUTING_RETRY
        if self.how.route_only and outcome.message == EXPLICITLY_QUEUED:
            return
        if self._is_silent(address) or (is_early and "retry_defer" not in self.selected):
            return
        text = lines.deferred_line(address, outcome, self.selected, took=self._took(outcome), is_routing=is_routing)
        if not (is_early and is_routing):
            self.note(text)
        if outcome.is_panic:
            self.services.logs.panic(f"== {text}", self.message.id)
        else:
            self.log(f"== {text}")

    def _is_silent(self, address: Address) -> bool:
        transport, router = address.transport, address.router
        if transport is not None:
            return bool(transport.disable_logging)
        return router is not None and bool(router.disable_logging)

    def _failed(self, address: Address, outcome: Outcome) -> None:
        message = self.message
        if not message.sender and self.age >= self.context.config.main.ignore_bounce_errors_after:
            address.flags.add("ignore_error")
        is_ignored = "ignore_error" in address.flags
        if not is_ignored and (outcome.special_action == FREEZE or (not message.sender and address.errors_to is None)):
            self.freeze("" if outcome.special_action == FREEZE else self._why_bounces_freeze())
            self.deferred.append(address)
        else:
            self.failed.append(address)
        self.log_failure(address, outcome)

    @property
    def age(self) -> float:
        """Of the message, in seconds."""
        return self.services.now() - self.message.received_at

    def _why_bounces_freeze(self) -> str:
        if self.message.sender_is_local and not self.message.is_locally_submitted_error:
            return " (message created with -f <>)"
        return " (delivery error message)"

    def give_up(self, address: Address) -> None:
        """A deferred address has been tried for long enough. Of a bounce, nobody is told."""
        if not self.message.sender and address.errors_to is None:
            address.flags.add("ignore_error")
        self.failed.append(address)
        if not self._is_silent(address):
            text = lines.address_text(address, all_parents="all_parents" in self.selected, success=False)
            self.note(f"{text}: retry timeout exceeded")
            self.log(f"** {text}: retry timeout exceeded")

    def log_failure(self, address: Address, outcome: Outcome) -> None:
        """The line with ``**``."""
        if self._is_silent(address):
            return
        text = lines.failed_line(address, outcome, self._shown_sender(), self.selected, took=self._took(outcome))
        has_driver = address.router is not None or address.transport is not None
        self.note(text if has_driver else f"routing failed for {text}")
        self.log(f"** {text}")

    def freeze(self, note: str) -> None:
        """Freeze the message when this attempt is over."""
        if self.frozen_note is None:
            self.frozen_note = note
        message = self.message
        message.is_frozen = True
        message.frozen_at = int(self.services.now())
        self.is_changed = True


def _has_ancestor_of_that_name(address: Address) -> bool:
    ancestor = address.parent
    while ancestor is not None:
        if ancestor.address == address.address:
            return True
        ancestor = ancestor.parent
    return False


def lines_name(address: Address) -> str:
    """An address in the message's own log: with the one it stems from."""
    has_path = "file" in address.flags and address.local_part.startswith("/")
    name = address.local_part if has_path else address.redirected_file or address.address
    return f"{name} <{address.parent.address}>" if address.parent is not None else name


def stamp(now: float) -> str:
    """A time as the logs have it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))


def duration(seconds: float, millisec: bool) -> str:
    """A duration in log lines: ``1h2m3s``, or ``0.042s`` with milliseconds."""
    if millisec and seconds < 60:
        return f"{max(seconds, 0.0):.3f}s"
    left = int(seconds + 0.5) if not millisec else int(seconds)
    text = ""
    for name, length in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60)):
        count, left = divmod(left, length)
        if count:
            text += f"{count}{name}"
    if left or not text:
        text += f"{left}s"
    return text

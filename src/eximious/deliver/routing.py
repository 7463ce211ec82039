"""Routing all recipients of a message that are not done with, and all addresses that this generates.

(Exim specification, "How Exim receives and delivers mail", "Processing an address for delivery".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.address.delivery import Address
from eximious.deliver import lines
from eximious.deliver.done import name_child
from eximious.errors import Defer
from eximious.lists.base import Matched
from eximious.retry.keys import recipient_key, routing_key
from eximious.retry.updates import RetryUpdate, is_overdue, known
from eximious.routers.engine import route
from eximious.routers.outcome import Outcome as Result
from eximious.routers.outcome import Routed
from eximious.transports.outcome import (
    BAD_TRANSPORT,
    DELIVERED,
    HELD,
    LIST_DEFER,
    LOCAL_ONLY,
    QUEUE_DOMAIN,
    ROUTING_RETRY,
    UNKNOWN,
    Outcome,
    deferred,
    failed,
)

if TYPE_CHECKING:
    from eximious.deliver.progress import Progress


class _Bypassed:
    """What stands in the log for the transport that would write to /dev/null."""

    name = "**bypassed**"
    driver_name = ""
    is_local = True
    disable_logging = False
    rcpt_include_affixes = False


BYPASSED: Final = _Bypassed()
FORBIDDEN: Final = (-10, -11, -12, -13)  # error numbers of pipes, files and replies that cannot or may not be
NO_TRANSPORT: Final = (-14, -15, -16)  # of those for which no transport is set
COPIED: Final = (  # what same_domain_copy_routing copies besides variables
    "address_data",
    "domain_data",
    "errors_to",
    "gid",
    "host_list",
    "initgroups",
    "router",
    "transport",
    "uid",
)
DEEPEST: Final = 100  # generations of addresses


class Router:
    """Routes the recipients of one message."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.context = progress.context
        # Addresses to look at; the last is the next. Those that have been looked at wait in `_ready`, again the last
        # first, so that addresses are routed and delivered in the order in which Exim does it.
        self._new: list[Address] = []
        self._ready: list[Address] = []
        self._seen_direct: set[str] = set()

    def run(self, addresses: list[Address]) -> None:
        """Route everything: fills the progress's `local` and `remote`, and settles what cannot be delivered."""
        self._new = addresses[::-1]
        while self._new:
            while self._new:
                self._look(self._new.pop())
            while self._ready:
                self._route(self._ready.pop())
        self.progress.local.reverse()
        self.progress.remote.reverse()

    # --- before routing ---------------------------------------------------------------------------------------------

    def _look(self, address: Address) -> None:
        """Sort out what need not, or cannot, be routed."""
        name_child(address)
        progress = self.progress
        if progress.done.has(address.unique):
            progress.is_done(address)
            return
        if lines.is_direct(address):
            self._take_direct(address)
            return
        if _depth(address) > DEEPEST:
            progress.settle(address, failed("address generation is too deep: probably a loop"), is_routing=True)
            return
        outcome = self._held(address) or self._too_early(address)
        if outcome is not None:
            progress.settle(address, outcome, is_routing=outcome.errno == ROUTING_RETRY)
            return
        self._ready.append(address)

    def _take_direct(self, address: Address) -> None:
        """A pipe, a file or a reply: it has its transport, or a reason why not."""
        if address.errno in FORBIDDEN:
            self.progress.settle(address, Outcome("failed", address.message, address.errno), is_routing=True)
        elif address.message or address.transport is None:
            errno = BAD_TRANSPORT if address.errno in NO_TRANSPORT else address.errno or BAD_TRANSPORT
            outcome = deferred(address.message, errno)
            outcome.is_panic = address.router is None  # the system filter lacks an option
            self.progress.settle(address, outcome, is_routing=True)
        elif "file" in address.flags and address.redirected_file == "/dev/null":
            address.transport = BYPASSED
            self.progress.settle(address, Outcome(DELIVERED))
        else:
            self.progress.local.append(address)

    def _held(self, address: Address) -> Outcome | None:
        """hold_domains and queue_domains."""
        main, how = self.context.config.main, self.progress.how
        if how.forced:
            return None
        if main.hold_domains is not None:
            match = self._on_list(main.hold_domains, address)
            if isinstance(match, Outcome):
                return match
            if match is not None:
                return deferred("domain is held", HELD)
        if main.queue_domains is not None and not how.in_queue_run:
            match = self._on_list(main.queue_domains, address)
            if isinstance(match, Outcome):
                return match
            if match is not None:
                return deferred("domain is in queue_domains", QUEUE_DOMAIN)
        return None

    def _on_list(self, domains: object, address: Address) -> Matched | Outcome | None:
        before = self.context.address
        self.context.address = address
        try:
            return domains.match(address.domain, self.context)  # type: ignore[attr-defined, no-any-return]
        except Defer as error:
            return deferred(str(error), LIST_DEFER)
        finally:
            self.context.address = before

    def _too_early(self, address: Address) -> Outcome | None:
        """The retry time for routing the address, or its domain, has not come. Only queue runs mind."""
        how = self.progress.how
        context = self.context
        now = context.services.now()
        sender = context.message.sender
        for key in (
            routing_key(address.domain),
            routing_key(address.address),
            recipient_key(address.address, sender),
        ):
            record = known(context, key)
            if record is None:
                continue
            address.flags.add(f"retry:{key}")
            if not (how.in_queue_run or how.continued) or how.forced or record.next_try <= now or record.expired:
                continue
            if how.continued:
                return deferred("reusing SMTP connection skips previous routing defer", ROUTING_RETRY)
            if not is_overdue(context, record, key[2:].partition(":<")[0], address.domain):
                return deferred("retry time not reached", ROUTING_RETRY)
        return None

    # --- routing ----------------------------------------------------------------------------------------------------

    def _route(self, address: Address) -> None:
        routed = route(address, self.context)
        self._learn(routed)
        self._new += reversed(routed.generated)
        if routed.outcome is Result.FAILED:
            outcome = failed(address.message)
            outcome.user_message = address.user_message or ""
            outcome.special_action = address.special_action
            self.progress.settle(address, outcome, is_routing=True)
        elif routed.outcome is Result.DEFERRED:
            outcome = deferred(address.message, address.errno or UNKNOWN, address.more_errno)
            outcome.user_message = address.user_message or ""
            outcome.special_action = address.special_action
            self.progress.settle(address, outcome, is_routing=True)
        elif routed.outcome is Result.DISCARDED:
            self._discard(address)
        else:
            for delivery in routed.deliveries:
                self._accept(delivery)
            if address in routed.deliveries:
                self._route_alike(address)
            if not routed.deliveries and not routed.generated:
                self._discard(address, "discarded")

    def _route_alike(self, address: Address) -> None:
        """same_domain_copy_routing: what waits for the same domain goes where the address does."""
        router, transport = address.router, address.transport
        if not getattr(router, "same_domain_copy_routing", False) or transport is None or transport.is_local:
            return
        if address.extra_headers or address.remove_headers:
            return
        alike = [other for other in self._ready if other.domain == address.domain and other.start_router is None]
        if not alike:
            return
        self._ready = [other for other in self._ready if other not in alike]
        for other in reversed(alike):
            for name in COPIED:
                setattr(other, name, getattr(address, name))
            other.router_variables = dict(address.router_variables)
            self._learn(Routed(Result.ROUTED, other))
            self._accept(other)

    def _learn(self, routed: Routed) -> None:
        """Note for the retry hints whether routing works."""
        address = routed.address
        updates = []
        if routed.outcome is Result.DEFERRED and address.router is not None:
            per_local_part = address.router.is_retry_per_local_part
            key = routing_key(address.address if per_local_part else address.domain)
            number = address.errno or UNKNOWN
            update = RetryUpdate(key, errno=number, more_errno=address.more_errno, message=address.message)
            update.alternate = "" if not per_local_part else address.domain
            updates.append(update)
        elif routed.outcome is not Result.DEFERRED:
            updates = [RetryUpdate(flag[6:], works=True) for flag in sorted(address.flags) if flag.startswith("retry:")]
        if updates:
            self.progress.retry_updates.setdefault(id(address), []).extend(updates)

    def _discard(self, address: Address, word: str = ":blackhole:") -> None:
        name = f" R={address.router.name}" if address.router is not None else ""
        if not (address.router is not None and address.router.disable_logging):
            self.progress.log(f"=> {word} <{address.address}>{name}")
        self.progress.succeeded.append(address)
        self.progress.is_done(address)

    def _accept(self, address: Address) -> None:
        transport = address.transport
        if transport is None:
            text = f"{address.router.name} router accepted the address without a transport"
            self.progress.settle(address, deferred(text, BAD_TRANSPORT), is_routing=True)
        elif transport.is_local:
            self.progress.local.append(address)
        else:
            self._accept_remote(address)

    def _accept_remote(self, address: Address) -> None:
        """queue_smtp_domains and -ql keep remote deliveries for later."""
        how, main = self.progress.how, self.context.config.main
        if how.local_only:
            self.progress.settle(address, _queued())
            return
        if main.queue_smtp_domains is not None and not how.in_queue_run and not how.forced:
            match = self._on_list(main.queue_smtp_domains, address)
            if match is not None:
                self.progress.settle(address, match if isinstance(match, Outcome) else _queued())
                return
        self.progress.remote.append(address)


def _queued() -> Outcome:
    return deferred("domain matches queue_smtp_domains, or -odqs set", LOCAL_ONLY)


def _depth(address: Address) -> int:
    depth = 0
    parent = address.parent
    while parent is not None:
        depth += 1
        parent = parent.parent
    return depth


def recipients(progress: Progress) -> list[Address]:
    """The recipients of the message that are not done with, as addresses to be routed."""
    message = progress.message
    found = []
    for recipient in message.recipients:
        if recipient.address in message.nonrecipients:
            continue
        address = Address(recipient.address)
        address.recipient = recipient
        address.dsn_flags = recipient.dsn_flags
        address.dsn_orcpt = recipient.orcpt
        if recipient.errors_to:
            address.errors_to = recipient.errors_to
        if 0 <= recipient.parent_number < len(message.recipients):
            address.onetime_parent = message.recipients[recipient.parent_number].address
        found.append(address)
    return found

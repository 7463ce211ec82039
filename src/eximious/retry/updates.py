"""What deliveries teach about hosts and addresses, and how the hints are brought up to date.

(Exim specification, "Retry rules", "Long-term failures", "Deliveries that work intermittently".)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from eximious.hints.record import Retry
from eximious.retry.rules import RetryRule, find_rule, next_wait

if TYPE_CHECKING:
    from eximious.address.delivery import Host
    from eximious.context import Context
    from eximious.units import Seconds

TEXT_LIMIT: Final = 500  # characters of an error that are kept


class RetryUpdate:
    """One thing learnt: what the key stands for has failed again, or (`works`) has worked."""

    __slots__ = ("alternate", "by", "errno", "host", "is_message", "key", "message", "more_errno", "works")

    def __init__(
        self, key: str, *, works: bool = False, errno: int = 0, more_errno: int = 0, message: str = ""
    ) -> None:
        self.key = key
        self.works = works
        self.errno = errno
        self.more_errno = more_errno
        self.message = message
        self.host: Host | None = None  # if it is about a host: rules for its name are asked first
        self.by: Host | None = None  # the host that said so, about somebody else
        self.alternate = ""  # then the domain of the address
        self.is_message = False  # the error is the message's: its age counts, if it is older than the first failure


class Verdict:
    """What the rules say about a failure: whether its time is up."""

    __slots__ = ("is_over", "next_try")

    def __init__(self, is_over: bool, next_try: Seconds = 0.0) -> None:
        self.is_over = is_over
        self.next_try = next_try  # UNIX time; 0 if there is no rule


def apply(update: RetryUpdate, context: Context) -> Verdict:
    """Bring the hints up to date, and tell whether the last cutoff has passed."""
    table = context.services.hints.retry
    if update.works:
        table.delete(update.key)
        return Verdict(False)
    rule = rule_for(update, context)
    if rule is None:
        return Verdict(True)
    now = context.services.now()
    old = known(context, update.key)
    record = next_record(old, rule, update, context, now)
    if record is None:
        return Verdict(True)
    table.put(update.key, record)
    return Verdict(bool(record.expired), record.next_try)


def rule_for(update: RetryUpdate, context: Context) -> RetryRule | None:
    """The rule for a failure."""
    key = update.key[2:] if update.host is None else update.host.name
    if update.host is None and ":<" in key:
        key = key[: key.index(":<")]
    sender = context.message.sender
    return find_rule(context, key, update.alternate, update.errno, update.more_errno, sender)


def known(context: Context, key: str) -> Retry | None:
    """What the hints have for a key, unless it is too old to mean anything."""
    record = context.services.hints.retry.get(key)
    if record is None:
        return None
    if context.services.now() - record.written_at > context.config.main.retry_data_expire:
        return None
    return record


def next_record(
    old: Retry | None, rule: RetryRule, update: RetryUpdate, context: Context, now: Seconds
) -> Retry | None:
    """The record after one more failure; None if the message has waited longer than any rule allows.

    In that case no new time is set, so that other messages for the same destination are tried.
    """
    record = Retry()
    record.first_failed = now if old is None else old.first_failed
    arrived = context.message.received_at or now
    if update.is_message:
        record.first_failed = min(record.first_failed, arrived)
    failing_for = now - record.first_failed
    step = rule.step(failing_for)
    if step is None:
        record.expired = 1
        step = rule.steps[-1] if rule.steps else None
    elif now - arrived > rule.cutoff:
        return None
    last_wait = 0.0 if old is None else min(old.next_try - old.last_try, now - old.last_try)
    longest = context.config.main.retry_interval_max
    record.last_try = now
    record.next_try = now
    if step is not None:
        record.next_try += next_wait(step, last_wait, longest, context.services.random.random)
    record.errno = update.errno
    record.more_errno = update.more_errno
    record.text = _text(update)[:TEXT_LIMIT]
    return record


def _text(update: RetryUpdate) -> str:
    """What the record says about the failure."""
    if not update.message:
        return os.strerror(update.errno) if update.errno > 0 else ""
    host = update.host or update.by
    return update.message if host is None else f"H={host.name} [{host.address}]: {update.message}"


def is_overdue(context: Context, record: Retry, key: str, alternate: str) -> bool:
    """True if the message has waited longer than the rule for what failed allows: then it is tried all the same."""
    rule = find_rule(context, key, alternate, record.errno, record.more_errno, context.message.sender)
    if rule is None or not rule.steps:
        return True
    return context.services.now() - context.message.received_at > rule.cutoff

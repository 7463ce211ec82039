"""Local deliveries of one message: each batch in turn, with its shadow.

(Exim specification, "Environment for running local transports", "Generic options for transports".)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from eximious.deliver.batches import take_local
from eximious.deliver.parallel import slot
from eximious.deliver.preparation import check_size, new_batch, seen_by, set_return_path
from eximious.deliver.quota_warning import WARN, send_quota_warning
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.retry.keys import local_key
from eximious.retry.updates import RetryUpdate, is_overdue, known
from eximious.transports.identity import find_directories, find_identity
from eximious.transports.outcome import (
    DEFERRED,
    DELIVERED,
    LOCAL_RETRY,
    Outcome,
    Unable,
    deferred,
    delivered,
)

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.deliver.progress import Progress
    from eximious.transports.appendfile import Appendfile
    from eximious.transports.base import Batch, Transport


def deliver_all(progress: Progress) -> None:
    """Deliver to all local addresses."""
    waiting = progress.without_duplicates(progress.local)
    progress.local = []
    while waiting:
        addresses = take_local(waiting, progress.context)
        addresses = [address for address in addresses if not _is_too_early(progress, address)]
        if addresses:
            _deliver(progress, addresses)


def retry_key(address: Address) -> str:
    """The key of retry hints for local deliveries to the address."""
    if not address.transport.retry_use_local_part:
        return local_key(address.domain)
    if address.redirected_file:
        return f"T:{address.redirected_file}:{address.parent.unique if address.parent else ''}"
    return local_key(address.address)


def _is_too_early(progress: Progress, address: Address) -> bool:
    """The retry time of the address has not come: settles it. Only queue runs mind."""
    context, how = progress.context, progress.how
    key = retry_key(address)
    record = known(context, key)
    if record is None:
        return False
    address.flags.add("retry_local")
    if not how.in_queue_run or how.forced or record.next_try <= context.services.now() or record.expired:
        return False
    if is_overdue(context, record, key[2:], address.domain):
        return False
    progress.settle(address, deferred("Retry time not yet reached", LOCAL_RETRY))
    return True


def _deliver(progress: Progress, addresses: list[Address]) -> None:
    """Deliver to one batch, and file its addresses."""
    context = progress.context
    transport: Transport = addresses[0].transport
    batch = new_batch(addresses, context, progress.done)
    before = progress.services.now()
    with seen_by(context, batch, transport):
        outcomes = _run(transport, batch, context, progress)
        took = progress.services.now() - before
        if transport.shadow_transport:
            _run_shadow(transport, batch, context, progress, outcomes)
        if any(outcome.special_action == WARN for outcome in outcomes):
            send_quota_warning(cast("Appendfile", transport), progress)
    flag = "=>"
    for address, outcome in zip(addresses, outcomes, strict=True):
        outcome.took = took
        outcome.return_path = batch.used_return_path
        _learn(progress, address, outcome)
        progress.settle(address, outcome, flag=flag)
        if outcome.status == DELIVERED:
            flag = "->"


def _run(transport: Transport, batch: Batch, context: Context, progress: Progress) -> list[Outcome]:
    try:
        set_return_path(batch, transport, context)
        check_size(transport, context)
        batch.identity = find_identity(batch.addresses[0], transport, context)
        batch.home, batch.directory = find_directories(batch.addresses[0], transport, context)
        if progress.message.dont_deliver:
            return [_pretended() for _ in batch.addresses]
        before = batch.addresses[0].home_directory
        context.address.home_directory = batch.home
        try:
            with slot(transport, context):
                return transport.deliver(batch, context)
        finally:
            context.address.home_directory = before
    except Unable as error:
        return [error.outcome.copy() for _ in batch.addresses]


def _pretended() -> Outcome:
    """The outcome under -N."""
    outcome = delivered()
    outcome.confirmation = "delivery bypassed by -N option"
    return outcome


def _run_shadow(
    transport: Transport, batch: Batch, context: Context, progress: Progress, outcomes: list[Outcome]
) -> None:
    """Give the shadow transport a copy of what was delivered; its outcome is only logged."""
    shadow = context.config.transports.get(transport.shadow_transport or "")
    good = [
        (address, outcome)
        for address, outcome in zip(batch.addresses, outcomes, strict=True)
        if outcome.status == DELIVERED
    ]
    if shadow is None or not good or batch.is_shadow or not _wants_shadow(transport, context, progress):
        return
    copy = new_batch([address for address, _ in good], context, progress.done)
    copy.is_shadow = True
    with seen_by(context, copy, shadow):
        results = _run(shadow, copy, context, progress)
    for (_, outcome), result in zip(good, results, strict=True):
        outcome.shadow_name = shadow.name
        if result.status != DELIVERED:
            reason = os.strerror(result.errno) if result.errno > 0 else ""
            outcome.shadow_message = ": ".join(filter(None, (reason, result.message))) or "failed"


def _wants_shadow(transport: Transport, context: Context, progress: Progress) -> bool:
    if transport.shadow_condition is None:
        return True
    try:
        text = transport.shadow_condition.expand(context).strip().lower()
    except ForcedFail:
        return False
    except (ExpandError, Defer) as error:
        progress.log(f"Failed to expand shadow condition in {transport.name} transport: {error}")
        return False
    return text not in ("", "0", "no", "false")


def _learn(progress: Progress, address: Address, outcome: Outcome) -> None:
    """Note for the retry hints how it went."""
    if outcome.is_panic:
        return  # nothing to do with the address: it is as good as before
    key = retry_key(address)
    if outcome.status == DEFERRED:
        update = RetryUpdate(key, errno=outcome.errno, more_errno=outcome.more_errno, message=outcome.message)
        update.alternate = address.domain
        update.is_message = outcome.errno == -22
    elif "retry_local" in address.flags:
        update = RetryUpdate(key, works=True)
    else:
        return
    progress.retry_updates.setdefault(id(address), []).append(update)

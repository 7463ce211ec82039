"""One attempt to deliver one message: routing, local and remote deliveries, and what follows from how they ended.

(Exim specification, "How Exim receives and delivers mail".)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from eximious import waiting
from eximious.config.numbers import show_seconds
from eximious.context import Context
from eximious.deliver import local_delivery, remote_delivery
from eximious.deliver.frozen import is_to_be_tried
from eximious.deliver.how import How
from eximious.deliver.one_time import make_one_time
from eximious.deliver.progress import Progress, duration
from eximious.deliver.retries import update_hints
from eximious.deliver.routing import Router, recipients
from eximious.deliver.submit import submit
from eximious.logs import debug_log
from eximious.send.pool import Pool
from eximious.spool.errors import SpoolError, SpoolFormatError
from eximious.spool.message_id import received_seconds
from eximious.transports.outcome import failed

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.services import Services
    from eximious.spool.claimed import Claimed

# How an attempt ended.
COMPLETED: Final = "completed"  # the message is gone
KEPT: Final = "kept"  # some of it is still to be delivered
SKIPPED: Final = "skipped"  # nothing was tried: frozen, or somebody else is at work on it
MISSING: Final = "missing"  # there is no such message

RECEIVED: Final = "P"  # the kind of a Received: header
LOOP: Final = 'Too many "Received" headers - suspected mail loop'


def deliver(message_id: str, services: Services, how: How | None = None, queue_name: str = "") -> str:
    """Try to deliver a message of the queue, and others that wait for a host which turns out to be there."""
    how = how or How()
    ended = deliver_one(message_id, services, how, queue_name)
    if services.connections is not None:
        pool = Pool.of(services)
        if pool.has_news:
            from eximious.deliver.continuing import deliver_waiting

            deliver_waiting(services, how, message_id)
        if not waiting.on_loop():
            pool.close()
    return ended


def deliver_one(message_id: str, services: Services, how: How, queue_name: str = "") -> str:
    """Try to deliver one message."""
    try:
        claimed = services.spool.claim(message_id, queue_name)
    except SpoolFormatError:
        return _malformed(message_id, services, queue_name)
    except SpoolError as error:
        services.logs.panic(str(error), message_id)
        return SKIPPED
    if claimed is None:
        return _not_claimed(message_id, services, queue_name)
    return deliver_claimed(claimed, services, how)


def _malformed(message_id: str, services: Services, queue_name: str) -> str:
    """Nobody can understand the message's files: it is kept for ``keep_malformed``, for the postmaster to look at."""
    path = services.spool.layout.find(message_id, "-H", queue_name)
    size = os.stat(path).st_size if path is not None else 0
    services.logs.main(f"Format error in spool file {message_id}-H: size={size}", message_id)
    most = services.config.main.keep_malformed
    if services.now() - received_seconds(message_id) < most:
        return SKIPPED
    try:
        if services.spool.remove_malformed(message_id, queue_name):
            services.logs.main(f"Message removed because older than {show_seconds(most)}", message_id)
    except SpoolError as error:
        services.logs.panic(str(error), message_id)
    return SKIPPED


def _not_claimed(message_id: str, services: Services, queue_name: str) -> str:
    if services.spool.read(message_id, queue_name) is None:
        return MISSING
    if "skip_delivery" in services.logs.selected:
        text = "Spool file is locked (another process is handling this message)"
        services.logs.main(text, message_id)
    return SKIPPED


def deliver_claimed(claimed: Claimed, services: Services, how: How | None = None) -> str:
    """Try to deliver a message that is claimed; the claim has ended when this returns."""
    context = Context(services.config, services)
    context.message = claimed.message
    if services.dont_deliver:
        claimed.message.dont_deliver = True
    context.client = claimed.message.client
    progress = Progress(claimed, services, context, how or How())
    context.facts["how"] = progress.how
    context.facts["queue_running"] = progress.how.in_queue_run
    context.facts["delivering"] = True
    context.facts["note"] = progress.note
    context.facts["submit"] = submit
    if "debuglog_name" in context.message.facts:
        debug_log.resume(context)
    is_over = False
    try:
        if not is_to_be_tried(progress):
            return SKIPPED
        if not _attempt(progress):
            return KEPT
        is_over = _finish(progress)
    except SpoolError as error:
        services.logs.panic(str(error), claimed.message.id)
        return KEPT
    finally:
        if context.trace is not None:
            debug_log.leave(context)
        if not is_over:
            claimed.release()
    return COMPLETED if is_over else KEPT


def _attempt(progress: Progress) -> bool:
    """Route and deliver. False if nothing has been tried, and all is as it was."""
    how = progress.how
    if how.give_up:
        if how.who:
            progress.note_plain(f"*** Cancelled by {how.who}")
            progress.log(f"cancelled by {how.who}")
        why = (
            "delivery cancelled; message timed out" if progress.is_timed_out else "delivery cancelled by administrator"
        )
        _fail_all(progress, why)
        return True
    if _goes_round(progress):
        _fail_all(progress, LOOP)
        for address in progress.failed:
            progress.note(f"{address.address}: {LOOP}")
            progress.log(f"** {address.address}: {LOOP}")
        return True
    addresses = _addresses(progress)
    if addresses is None:
        return False
    Router(progress).run(addresses)
    if progress.local:
        local_delivery.deliver_all(progress)
    if progress.remote:
        remote_delivery.deliver_all(progress)
    update_hints(progress)
    return True


def _addresses(progress: Progress) -> list[Address] | None:
    """What is to be routed: the recipients, and what the system filter has to say. None if that cannot be known."""
    if progress.context.config.main.system_filter is None:
        return recipients(progress)
    from eximious.deliver.system_filter import addresses_to_route

    return addresses_to_route(progress)


def _goes_round(progress: Progress) -> bool:
    """The message has passed through so many hosts that there must be a loop (``received_headers_max``)."""
    most = progress.context.config.main.received_headers_max
    headers = progress.message.headers
    return len(headers) > most and sum(header.kind == RECEIVED for header in headers) > most


def _fail_all(progress: Progress, why: str) -> None:
    """Give the message up: whoever sent it is told, but no details."""
    for address in recipients(progress):
        address.result = failed(why, 0)
        address.flags.add("cancelled")
        progress.failed.append(address)


def _finish(progress: Progress) -> bool:
    """Send reports, and store or remove the message. True if it is gone."""
    from eximious.deliver.reports import send_reports

    send_reports(progress)
    if not progress.deferred:
        progress.log(f"Completed{_overall_time(progress)}")
        progress.claimed.remove()
        return True
    _keep(progress)
    return False


def _overall_time(progress: Progress) -> str:
    """`` QT=`` behind ``Completed``, with queue_time_overall."""
    if "queue_time_overall" not in progress.selected:
        return ""
    return f" QT={duration(progress.age, 'millisec' in progress.selected)}"


def _keep(progress: Progress) -> None:
    """Store what the next attempt has to know."""
    message = progress.message
    if message.is_frozen and progress.frozen_note is not None:
        from eximious.deliver.frozen import tell_about_freezing

        progress.note_plain(f"*** Frozen{progress.frozen_note}")
        tell_about_freezing(progress)
        progress.log(f"Frozen{progress.frozen_note}")
    if make_one_time(progress):
        progress.is_changed = True
    if message.deliver_first_time:
        message.deliver_first_time = False
        progress.is_changed = True
    if progress.is_changed or progress.succeeded or progress.failed:
        progress.claimed.update()

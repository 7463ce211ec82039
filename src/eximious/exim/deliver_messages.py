"""Delivering single messages: ``-M``, ``-Mc``, ``-Mg``, and what a one-shot process has just received."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eximious.deliver import message
from eximious.deliver.how import How, forced
from eximious.exim.deliveries import ForkedDeliveries, note_bug
from eximious.exim.local_jobs import arrange_local_jobs

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation


def deliver(call: Invocation, message_id: str) -> bool:
    """``-M``: try now, whatever the hints say; ``-Mc``: only what they let through."""
    prepare_deliveries(call)
    how = forced() if call.line.message_action == "deliver" else How()
    return attempt(call, message_id, call.line.queue_name, how)


def give_up(call: Invocation, message_id: str) -> bool:
    """``-Mg``: fail all that is left, and tell the sender."""
    from eximious.config.users import user_name

    prepare_deliveries(call)
    how = How()
    how.give_up = True
    how.who = user_name(call.caller.uid)
    return attempt(call, message_id, call.line.queue_name, how)


def deliver_received(call: Invocation, message_id: str, queue_name: str, *, no_remote: bool) -> bool:
    """The first attempt for a message that has just come in. False if the caller is to learn of a failure."""
    prepare_deliveries(call)
    how = How()
    how.no_remote = no_remote
    return attempt(call, message_id, queue_name, how)


def prepare_deliveries(call: Invocation) -> None:
    """Let this process deliver: local jobs are done as other users, reports that it makes are delivered in turn."""
    arrange_local_jobs(call)
    call.services.deliveries = ForkedDeliveries(call, wait=call.line.delivery == "i")


def attempt(call: Invocation, message_id: str, queue_name: str, how: How) -> bool:
    """Try to deliver one message. A bug ends the attempt; the message stays in the queue."""
    services = call.services
    if call.line.verbose:
        sys.stderr.write(f"delivering {message_id}\n")
    try:
        ended = message.deliver(message_id, services, how, queue_name)
    except Exception:  # what goes wrong with one message must not keep others from being delivered
        note_bug(call, message_id)
        return False
    if ended == message.MISSING and not how.in_queue_run:
        services.logs.main(f"Spool file {message_id}-D not found", message_id)
    return ended != message.REFUSED

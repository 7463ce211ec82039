"""Whether a message that has come in is delivered at once, waits for a queue runner, or is frozen."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.logs.log import Logs
    from eximious.receive.incoming import Incoming
    from eximious.receive.session import Session

BY_ACL: Final = "queued by ACL"
SELECTOR: Final = "delay_delivery"


def apply(incoming: Incoming) -> None:
    """Freeze the message if an ACL said so."""
    message = incoming.context.message
    if incoming.reception.freeze:
        message.is_frozen = True
        message.frozen_at = int(incoming.context.services.now())


def start_delivery(incoming: Incoming, session: Any = None) -> None:
    """Have the message delivered, unless something says that it is only to be queued."""
    context = incoming.context
    message = context.message
    services = context.services
    if incoming.reception.queue_only:
        _log(BY_ACL, services.logs, message.id)
    if message.is_frozen:
        return
    why = None if context.config.main.mua_wrapper else _queued_because(incoming, session)
    if why and why != BY_ACL:
        _log(why, services.logs, message.id)
    is_routed_only = why == BY_ACL and incoming.reception.queue_first_pass
    if services.deliveries is not None and (why is None or is_routed_only):
        services.deliveries.start(message.id, message.queue_name, no_remote=is_routed_only or services.queue_smtp)


def _log(why: str, logs: Logs, message_id: str) -> None:
    if SELECTOR in logs.selected:
        logs.main(f"no immediate delivery: {why}", message_id)


def _queued_because(incoming: Incoming, session: Any) -> str | None:
    """Why the message is not delivered at once; "" if nobody needs to be told, None if it is."""
    context = incoming.context
    main = context.config.main
    reception = incoming.reception
    if _is_queue_only(context):
        return ""
    if reception.queue_only:
        return BY_ACL
    if session is not None:
        limit = main.smtp_accept_queue_per_connection
        if limit > 0 and session.counters.messages > limit:
            return f"more than {limit} messages received in one connection"
        connections = context.facts.get("connection_count", 0)
        if 0 < main.smtp_accept_queue < connections:
            return f"too many connections ({connections}, max {main.smtp_accept_queue})"
    return _load_reason(context, session)


def _load_reason(context: Context, session: Session | None) -> str | None:
    """The system's load, if it is above ``queue_only_load``; with ``queue_only_load_latch``, if it once was so in this
    session."""
    main = context.config.main
    most = main.queue_only_load
    if most is None or most < 0:
        return None
    load = os.getloadavg()[0]
    if session is not None and main.queue_only_load_latch:
        load = session.facts["queueing_load"] = max(load, session.facts.get("queueing_load", 0.0))
    return f"load average {load:.2f}" if load > most else None


def _is_queue_only(context: Any) -> bool:
    """The option queue_only, or a file of queue_only_file; -od options override them if queue_only_override is set."""
    main = context.config.main
    override = context.services.delivery in ("b", "i", "f") and main.queue_only_override
    if context.services.delivery == "q":
        return True
    if main.queue_only:
        return not override
    for item in main.queue_only_file or ():
        name = item.removeprefix("smtp")
        if os.path.exists(name) and not item.startswith("smtp"):
            return True
    return False

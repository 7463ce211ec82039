"""More messages for a host that has just taken one: they go over the same connection.

(Exim specification, "Multiple messages on a single connection".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.send import waiting_messages
from eximious.send.pool import Pool

if TYPE_CHECKING:
    from eximious.deliver.how import How
    from eximious.send.connection import Connection
    from eximious.services import Services

MOST_IN_A_ROW: Final = 1000  # messages that one delivery draws after it


def deliver_waiting(services: Services, how: How, but: str) -> None:
    """Deliver the messages that wait for the hosts to which a connection is idle now."""
    from eximious.deliver.message import deliver_one

    pool = Pool.of(services)
    connections: list[Connection] = []
    seen = {but}
    for _ in range(MOST_IN_A_ROW):
        connections = pool.still_idle(connections + pool.take_news())
        message_id = _next(services, connections, but)
        if message_id is None or message_id in seen:
            return
        seen.add(message_id)
        deliver_one(message_id, services, _continued(how))


def _next(services: Services, connections: list[Connection], but: str) -> str | None:
    for connection in connections:
        found = waiting_messages.take(services.hints, connection.transport.name, connection.host.name, but)
        if found is not None:
            return found
    return None


def _continued(how: How) -> How:
    """How the following messages are delivered: as the first was, but nobody has forced or thawed them."""
    from eximious.deliver.how import How

    other = How()
    other.in_queue_run = how.in_queue_run
    other.continued = True
    return other

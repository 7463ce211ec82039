"""Which messages wait for which hosts: hints for sending them over a connection once there is one.

(Exim specification, "Multiple messages on a single connection".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.hints.record import Waiting
from eximious.hints.store import HintsError

if TYPE_CHECKING:
    from eximious.address.delivery import Host
    from eximious.context import Context
    from eximious.hints.store import Hints

MOST: Final = 500  # messages that are remembered for one host


def note(context: Context, transport_name: str, hosts: list[Host]) -> None:
    """The context's message waits for these hosts."""
    message_id = context.message.id
    table = context.services.hints.wait(transport_name)

    def add(record: Waiting | None) -> Waiting | None:
        record = record or Waiting()
        if message_id not in record.message_ids and len(record.message_ids) < MOST:
            record.message_ids.append(message_id)
        return record

    try:
        for name in dict.fromkeys(host.name.lower() for host in hosts):
            table.change(name, add)
    except HintsError as error:
        context.services.logs.panic(str(error), message_id)


def has_any(hints: Hints, transport_name: str, host_name: str, but: str) -> bool:
    """True if another message than `but` waits for the host."""
    try:
        record = hints.wait(transport_name).get(host_name.lower())
    except HintsError:
        return False
    return record is not None and any(message_id != but for message_id in record.message_ids)


def take(hints: Hints, transport_name: str, host_name: str, but: str = "") -> str | None:
    """The next message that waits for a host; it is not remembered any more. `but` is one that is not meant."""
    found: str | None = None

    def remove(record: Waiting | None) -> Waiting | None:
        nonlocal found
        if record is None:
            return None
        ids = [message_id for message_id in record.message_ids if message_id != but]
        found = ids.pop(0) if ids else None
        record.message_ids = ids
        return record if ids else None

    try:
        table = hints.wait(transport_name)
        if table.get(host_name.lower()) is not None:  # reading is cheap, and mostly enough
            table.change(host_name.lower(), remove)
    except HintsError:
        return None
    return found

"""serialize_hosts: hosts to which there is one connection at a time, from this whole host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from eximious.hints.record import Serialize
from eximious.send.opening import is_listed

if TYPE_CHECKING:
    from eximious.address.delivery import Host
    from eximious.context import Context
    from eximious.transports.smtp import Smtp

STALE: Final = 6 * 3600  # seconds after which a connection that is still counted has died uncounted


@contextmanager
def connection_slot(transport: Smtp, host: Host, context: Context) -> Iterator[bool]:
    """True while we may be connected to the host; False if somebody else is. Raises Failure."""
    if transport.serialize_hosts is None or not is_listed(transport, "serialize_hosts", host, context):
        yield True
        return
    table = context.services.hints.misc
    key = f"host-serialize-{host.name.lower()}"
    now = context.services.now()
    entered = False

    def enter(record: Serialize | None) -> Serialize | None:
        nonlocal entered
        if record is None or now - record.written_at > STALE:
            record = Serialize()
        entered = record.count == 0
        record.count = 1
        return record

    table.change(key, enter)
    try:
        yield entered
    finally:
        if entered:
            table.delete(key)

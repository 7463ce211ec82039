"""max_parallel: how many runs of a transport may go on at the same time, on this whole host.

(Exim specification, option max_parallel.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from eximious.errors import Defer, ExpandError
from eximious.hints.record import Serialize
from eximious.transports.outcome import EXPAND_FAILED, TRANSPORT_BUSY, Unable, deferred

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.hints.store import Table
    from eximious.transports.base import Transport

STALE: Final = 6 * 3600  # seconds after which a count was left behind by something that died


@contextmanager
def slot(transport: Transport, context: Context) -> Iterator[None]:
    """One of the transport's runs, if the option limits them. Raises Unable if there are too many."""
    limit = _limit(transport, context)
    if limit <= 0:
        yield
        return
    key = f"tpt-serialize-{transport.name}"
    table = context.services.hints.misc
    if not enter(table, key, limit, context.services.now()):
        raise Unable(deferred("concurrency limit reached for transport", TRANSPORT_BUSY))
    try:
        yield
    finally:
        leave(table, key)


def _limit(transport: Transport, context: Context) -> int:
    template = transport.max_parallel
    if template is None:
        return 0
    try:
        return int(template.expand(context).strip() or 0)
    except (ExpandError, Defer, ValueError) as error:
        text = f'Failed to expand max_parallel option "{template.source}" in {transport.name} transport: {error}'
        raise Unable(deferred(text, EXPAND_FAILED)) from error


def enter(table: Table[Serialize], key: str, limit: int, now: float) -> bool:
    """Count one more user of something, if there are fewer than `limit`."""
    entered = False

    def count(record: Serialize | None) -> Serialize | None:
        nonlocal entered
        if record is None or now - record.written_at > STALE:
            record = Serialize()
        entered = record.count < limit
        if entered:
            record.count += 1
        return record

    table.change(key, count)
    return entered


def leave(table: Table[Serialize], key: str) -> None:
    """Count one user less."""

    def count(record: Serialize | None) -> Serialize | None:
        if record is None or record.count <= 1:
            return None
        record.count -= 1
        return record

    table.change(key, count)

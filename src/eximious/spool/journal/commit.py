"""The thread that writes to the journal: it takes whatever waits, makes it durable together, then tells who waited."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eximious import waiting
from eximious.spool.errors import SpoolError, spool_error
from eximious.spool.journal.segment import Segment

if TYPE_CHECKING:
    import asyncio

WRITE: Final = "write"
EMPTY: Final = "empty"
REMOVE: Final = "remove"

Told = Callable[["SpoolError | None"], None]


class Order:
    """Something to do with a segment. `told` is called with None or the error, once it is done; see `Committer`."""

    __slots__ = ("action", "pieces", "segment", "sync", "told")

    def __init__(
        self, action: str, segment: Segment, pieces: list[bytes], sync: bool = False, told: Told | None = None
    ) -> None:
        self.action = action
        self.segment = segment
        self.pieces = pieces
        self.sync = sync
        self.told = told


class Committer:
    """Carries out orders in a thread of its own.

    With a loop, `told` functions are called by it, all of a group in one turn; without one, by the thread.
    """

    __slots__ = ("_loop", "_orders", "_thread")

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop
        self._orders: queue.SimpleQueue[list[Order] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, orders: list[Order]) -> None:
        """Have something done, after what was submitted before. Each call wakes the thread, which costs."""
        self._orders.put(orders)

    def stop(self) -> None:
        """Wait until everything is done, and end the thread."""
        self._orders.put(None)
        self._thread.join()

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            groups = [self._orders.get()]
            try:
                while True:
                    groups.append(self._orders.get_nowait())
            except queue.Empty:
                pass
            goes_on = None not in groups
            self._carry_out([order for group in groups if group is not None for order in group])

    def _carry_out(self, orders: list[Order]) -> None:
        told: list[tuple[Told, SpoolError | None]] = []
        writes: list[Order] = []
        for order in orders:
            if writes and (order.action != WRITE or order.segment is not writes[0].segment):
                self._write(writes, told)
                writes = []
            if order.action == WRITE:
                writes.append(order)
            else:
                self._change(order, told)
        if writes:
            self._write(writes, told)
        if told and self._loop is None:
            _tell(told)
        elif told and self._loop is not None:
            self._loop.call_soon_threadsafe(_tell, told)

    def _write(self, orders: list[Order], told: list[tuple[Told, SpoolError | None]]) -> None:
        segment = orders[0].segment
        error: SpoolError | None = None
        try:
            segment.append([piece for order in orders for piece in order.pieces], any(order.sync for order in orders))
        except OSError as failure:
            error = spool_error(f"cannot write {segment.path}", failure)
            for order in orders:
                if order.told is None:  # nobody waits, but it must not be forgotten
                    segment.owed.extend(order.pieces)
        except SpoolError as failure:
            error = failure
        told.extend((order.told, error) for order in orders if order.told is not None)

    def _change(self, order: Order, told: list[tuple[Told, SpoolError | None]]) -> None:
        error: SpoolError | None = None
        try:
            if order.action == EMPTY:
                order.segment.empty()
            else:
                order.segment.remove()
        except OSError as failure:
            error = spool_error(f"cannot {order.action} {order.segment.path}", failure)
        if order.told is not None:
            told.append((order.told, error))


def _tell(told: list[tuple[Told, SpoolError | None]]) -> None:
    for function, error in told:
        function(error)


class Waiter:
    """Somebody who waits for the commit thread: on the loop, or blocked."""

    __slots__ = ("_error", "_future", "_lock")

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._future = None if loop is None else loop.create_future()
        self._lock = None if loop is not None else threading.Lock()
        self._error: SpoolError | None = None
        if self._lock is not None:
            self._lock.acquire()

    def wake(self, error: SpoolError | None) -> None:
        """It is done."""
        if self._lock is not None:
            self._error = error
            self._lock.release()
        elif self._future is not None and not self._future.done():
            if error is None:
                self._future.set_result(None)
            else:
                self._future.set_exception(error)

    def wait(self) -> None:
        """Until it is done. Raises SpoolError if it failed."""
        if self._future is not None:
            waiting.wait(self._future)
            return
        assert self._lock is not None
        self._lock.acquire()
        if self._error is not None:
            raise self._error

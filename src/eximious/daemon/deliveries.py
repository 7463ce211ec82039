"""Deliveries in a worker: greenlets on its event loop, not too many at a time."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from eximious import waiting
from eximious.spool.errors import SpoolError

if TYPE_CHECKING:
    from eximious.deliver.how import How
    from eximious.services import Services

AT_ONCE: Final = 100  # deliveries that one worker has under way
WAITING: Final = 10000  # messages that wait for their turn; what comes then is left to the next queue run


class WorkerDeliveries:
    """Starts deliveries of messages that this worker has accepted, queue runs, and the sending of reports."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.tasks: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[str, str, bool]] = deque()
        self._running = 0
        self._is_closed = False

    @property
    def active(self) -> int:
        """Deliveries and queue runs that are under way or wait for their turn."""
        return len(self.tasks) + len(self._waiting)

    def start(self, message_id: str, queue_name: str = "", *, no_remote: bool = False) -> None:
        """Begin to deliver a message, soon. May be called from a greenlet; never waits."""
        if self._is_closed:
            return
        if self._running < AT_ONCE:
            self._begin(message_id, queue_name, no_remote)
        elif len(self._waiting) < WAITING:
            self._waiting.append((message_id, queue_name, no_remote))

    def _begin(self, message_id: str, queue_name: str, no_remote: bool) -> None:
        self._running += 1
        self._spawn(lambda: self._deliver(message_id, queue_name, no_remote), self._next, message_id)

    def _deliver(self, message_id: str, queue_name: str, no_remote: bool) -> None:
        from eximious.deliver.how import How
        from eximious.deliver.message import deliver

        how = How()
        how.no_remote = no_remote
        deliver(message_id, self.services, how, queue_name)

    def _next(self) -> None:
        self._running -= 1
        if self._waiting and not self._is_closed:
            self._begin(*self._waiting.popleft())

    def run_queue(self, run: dict[str, Any], done: Callable[[], None]) -> None:
        """Run a queue once; `done` is called when the run is over."""
        from eximious.deliver.queue import Run, run_queue

        self._spawn(lambda: run_queue(self.services, Run.of(run), self._attempt(run["name"])), done, "queue run")

    def _attempt(self, queue_name: str) -> Callable[[str, How], object]:
        """Makes one attempt of a queue run. A bug ends the attempt, and not the run."""
        from eximious.deliver.message import deliver

        def attempt(message_id: str, how: How) -> object:
            try:
                return deliver(message_id, self.services, how, queue_name)
            except Exception as error:  # what goes wrong with one message must not keep others from being delivered
                self._note_bug(message_id, error)
                return None

        return attempt

    def send_reports(self) -> None:
        """Send the reports about DMARC that are due, unless another process does."""
        from eximious.deliver.dmarc import sending

        self._spawn(lambda: sending.run_due(self.services), lambda: None, "DMARC reports")

    def spill(self, done: Callable[[], None]) -> None:
        """Put what is only in the journal into spool files; `done` is called when that is durable."""
        self._spawn(self._spill, done, "spill")

    def _spill(self) -> None:
        try:
            self.services.spool.spill()
        except SpoolError as error:
            self.services.logs.panic(str(error))

    def _spawn(self, function: Callable[[], None], done: Callable[[], None], what: str) -> None:
        task = asyncio.get_running_loop().create_task(waiting.run(function))
        self.tasks.add(task)

        def finished(task: asyncio.Task[None]) -> None:
            self.tasks.discard(task)
            if not task.cancelled() and task.exception() is not None:
                self._note_bug(what, task.exception())
            done()

        task.add_done_callback(finished)

    def _note_bug(self, what: str, error: BaseException | None) -> None:
        """A bug ended this delivery; the message stays in the queue."""
        text = "".join(traceback.format_exception(error)).rstrip()
        self.services.logs.panic(f"{what}: {text}".replace("\n", "\n "))

    def close(self) -> None:
        """Nothing more is started; what is unfinished goes to spool files."""
        self._is_closed = True
        self._waiting.clear()
        self.services.spool.close_journal()
        if self.services.local is not None:
            self.services.local.close()

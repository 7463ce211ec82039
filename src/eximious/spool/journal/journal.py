"""The journal of one process: messages that were accepted a moment ago, in memory and in segment files.

Most mail is delivered from memory within a second or two and leaves the journal with a short record that says so. What
stays longer, or was tried in vain, becomes spool files, many at a time. See docs/decisions/0010-journal.md.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from eximious import waiting
from eximious.spool.body import Body
from eximious.spool.claimed import ClaimedFiles
from eximious.spool.errors import SpoolError
from eximious.spool.journal import record
from eximious.spool.journal.commit import EMPTY, REMOVE, WRITE, Committer, Order, Waiter
from eximious.spool.journal.entry import Entry, JournalClaim, snapshot
from eximious.spool.journal.segment import Segment
from eximious.spool.journal.spill import Spill, write_files
from eximious.spool.layout import Layout
from eximious.spool.message import Message
from eximious.spool.message_log import MessageLogs

if TYPE_CHECKING:
    import asyncio

MEMORY_LIMIT: Final = 64 * 1024 * 1024  # octets of unfinished messages; beyond it they become files at once
SEGMENT_SIZE: Final = 32 * 1024 * 1024  # octets after which a new segment is begun
SPILL_AFTER: Final = 5.0  # seconds after which an unfinished message becomes spool files
TICK: Final = 1.0  # seconds between looks at what is old
PAUSE: Final = 60.0  # seconds until the next try after messages could not become files
OVERHEAD: Final = 4096  # octets that a message takes in memory besides headers and body
GROUP: Final = 200  # messages that become files together
LOG_LINES: Final = 1000  # lines of a message's own log that are kept in memory


class Journal:
    """Accepts, hands out and finishes messages. With a loop, only greenlets on it may accept and spill.

    `report` gets a line for the panic log when something failed that nobody waits for.
    """

    def __init__(
        self,
        layout: Layout,
        logs: MessageLogs,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        memory_limit: int = MEMORY_LIMIT,
        segment_size: int = SEGMENT_SIZE,
        spill_after: float = SPILL_AFTER,
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._layout = layout
        self._logs = logs
        self._loop = loop
        self._memory_limit = memory_limit
        self._segment_size = segment_size
        self._spill_after = spill_after
        self._report = report
        self._now: Callable[[], float] = time.monotonic if loop is None else loop.time
        self._committer = Committer(loop)
        self._pid = os.getpid()
        self._segment: Segment | None = None
        self._count = 0  # segments begun
        self._entries: dict[str, Entry] = {}  # oldest first
        self.held = 0  # octets of memory
        self._orders: list[Order] = []  # for the committer, at the end of this turn of the loop
        self._tick_is_due = False
        self._spill_again_at = 0.0
        self._spilling: Any = None  # an asyncio.Lock
        self._task: Any = None  # reference to the task of the present tick

    # --- arriving ---------------------------------------------------------------------------------------------------

    def accept(self, message: Message, body: Body, header: bytes) -> bool:
        """Take a message, durable on return. False if it must go elsewhere: too large, no memory left, wrong process.

        Raises SpoolError if it could not be written.
        """
        size = len(header) + body.size + OVERHEAD
        if self.held + size > self._memory_limit or not body.in_memory or os.getpid() != self._pid:
            return False
        if self._loop is not None and not waiting.on_loop():
            return False
        segment = self._current_segment()
        pieces = record.message_record(segment.seed, message.id, message.queue_name, header, [body.data()])
        entry = Entry(snapshot(message), body, segment, size, self._now())
        segment.live += 1
        segment.submitted += size
        self.held += size
        waiter = Waiter(self._loop)

        def told(error: SpoolError | None) -> None:
            # Called whether or not the session still waits: the message must not depend on it.
            if error is None:
                self._entries[message.id] = entry
                self._arm_tick()
            else:
                self._drop(entry)
            waiter.wake(error)

        self._submit(Order(WRITE, segment, pieces, True, told))
        waiter.wait()
        return True

    def _current_segment(self) -> Segment:
        segment = self._segment
        if segment is None or segment.submitted > self._segment_size or segment.is_broken:
            self._count += 1
            self._segment = Segment(self._layout, f"{time.time_ns()}-{self._pid}-{self._count}")
            if segment is not None and segment.live == 0:
                self._submit(Order(REMOVE, segment, []))
            segment = self._segment
        return segment

    # --- working on a message ---------------------------------------------------------------------------------------

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._entries

    def ids(self, queue_name: str = "") -> list[str]:
        """The ids of the messages of a queue that are here."""
        return [message_id for message_id, entry in self._entries.items() if entry.message.queue_name == queue_name]

    def read(self, message_id: str) -> Message | None:
        """A message that is here, to look at."""
        entry = self._entries.get(message_id)
        return None if entry is None else entry.message

    def claim(self, message_id: str) -> JournalClaim | None:
        """Begin to work on a message that is here; None if somebody does."""
        entry = self._entries.get(message_id)
        if entry is None or entry.claim is not None:
            return None
        entry.claim = JournalClaim(self, entry)
        return entry.claim

    def log(self, entry: Entry, line: str) -> None:
        """Add to a message's own log."""
        if self._logs.enabled and len(entry.log_lines) < LOG_LINES:
            entry.log_lines.append(line)

    def log_by_id(self, message_id: str, line: str) -> bool:
        """Add to the own log of a message that is here."""
        entry = self._entries.get(message_id)
        if entry is not None:
            self.log(entry, line)
        return entry is not None

    def note_partly_done(self, entry: Entry, address: str) -> None:
        """Record that an address is done with."""
        self._note(entry.segment, record.partly_done_record(entry.segment.seed, entry.message.id, address))

    def finish(self, entry: Entry) -> None:
        """The message is done with."""
        if entry.is_finished or self._entries.get(entry.message.id) is not entry:
            return
        entry.is_finished = True
        if self._logs.preserve:
            self._logs.append(entry.message.id, entry.message.queue_name, *entry.log_lines)
            self._logs.finish(entry.message.id, entry.message.queue_name)
        self._leave(entry)

    def _leave(self, entry: Entry) -> None:
        """Record that the message is no longer here, and forget it."""
        del self._entries[entry.message.id]
        self._note(entry.segment, record.done_record(entry.segment.seed, entry.message.id))
        self._drop(entry)

    def _drop(self, entry: Entry) -> None:
        self.held -= entry.size
        entry.segment.live -= 1
        if entry.segment.live == 0 and entry.segment is not self._segment:
            self._submit(Order(REMOVE, entry.segment, []))

    def _submit(self, order: Order) -> None:
        """Have the committer do something; with a loop, all of a turn together, for waking it costs the most."""
        if self._loop is None:
            self._committer.submit([order])
            return
        if not self._orders:
            self._loop.call_soon(self._flush)
        self._orders.append(order)

    def _flush(self) -> None:
        if self._orders:
            orders, self._orders = self._orders, []
            self._committer.submit(orders)

    def _note(self, segment: Segment, content: bytes) -> None:
        segment.submitted += len(content)
        self._submit(Order(WRITE, segment, [content]))

    # --- becoming spool files ---------------------------------------------------------------------------------------

    def spill_all(self) -> dict[str, SpoolError]:
        """Turn everything into spool files; gives what could not be, by message id."""
        return self.spill(list(self._entries.values()))

    def spill_older_than(self, seconds: float) -> dict[str, SpoolError]:
        """Turn whatever is here for longer into spool files."""
        limit = self._now() - seconds
        return self.spill([entry for entry in self._entries.values() if entry.accepted_at <= limit])

    def spill_one(self, message_id: str) -> dict[str, SpoolError]:
        """Turn one message into spool files, if it is here."""
        entry = self._entries.get(message_id)
        return {} if entry is None else self.spill([entry])

    def spill(self, entries: Iterable[Entry]) -> dict[str, SpoolError]:
        """Turn messages into spool files with the state that they have now, durably; claims go on with the files.

        Gives the messages that could not be written, which stay here, with the reason.
        """
        failed: dict[str, SpoolError] = {}
        waiting_entries = list(entries)
        while waiting_entries:
            group, waiting_entries = waiting_entries[:GROUP], waiting_entries[GROUP:]
            self._lock()
            try:
                failed |= self._spill_group([entry for entry in group if self._is_here(entry)])
            finally:
                self._unlock()
        return failed

    def _is_here(self, entry: Entry) -> bool:
        return self._entries.get(entry.message.id) is entry

    def _lock(self) -> None:
        if self._loop is not None:
            import asyncio

            if self._spilling is None:
                self._spilling = asyncio.Lock()
            waiting.wait(self._spilling.acquire())

    def _unlock(self) -> None:
        if self._spilling is not None:
            self._spilling.release()

    def _spill_group(self, entries: list[Entry]) -> dict[str, SpoolError]:
        spills: list[Spill] = []
        failed: dict[str, SpoolError] = {}
        for entry in entries:
            try:
                spills.append(Spill(entry))
            except SpoolError as error:
                failed[entry.message.id] = error
        waiting.in_thread(write_files, self._layout, self._logs, spills)
        written = []
        for spill in spills:
            if spill.error is not None:
                failed[spill.entry.message.id] = spill.error
            elif spill.entry.is_finished:
                self._take_back(spill)
            else:
                written.append(spill)
        self._make_moves_durable(written)
        for spill in written:
            if spill.entry.is_finished:
                self._take_back(spill)
            else:
                self._hand_over(spill)
        return failed

    def _make_moves_durable(self, spills: list[Spill]) -> None:
        """Record that the messages are elsewhere. If that fails they might come again after a crash, not get lost."""
        segments = {spill.entry.segment for spill in spills}
        for spill in spills:
            content = record.done_record(spill.entry.segment.seed, spill.entry.message.id)
            self._submit(Order(WRITE, spill.entry.segment, [content]))
        for segment in segments:
            waiter = Waiter(self._loop)
            self._submit(Order(WRITE, segment, [], True, waiter.wake))
            try:
                waiter.wait()
            except SpoolError as error:
                self._report(str(error))

    def _take_back(self, spill: Spill) -> None:
        """The message was finished while its files were written."""
        assert spill.pair is not None
        spill.pair.remove()
        if not self._logs.preserve:
            self._logs.finish(spill.entry.message.id, spill.entry.message.queue_name)

    def _hand_over(self, spill: Spill) -> None:
        entry, pair = spill.entry, spill.pair
        assert pair is not None
        message = entry.message
        del self._entries[message.id]
        self._drop(entry)
        files = ClaimedFiles(self._layout, self._logs, pair.folder, message, entry.body, pair.fd)
        try:
            for address in message.nonrecipients - spill.nonrecipients:
                files.record_done(address)
            self._logs.append(message.id, message.queue_name, *entry.log_lines)
        except SpoolError as error:
            self._report(str(error))
        if entry.claim is not None:
            entry.claim.go_on_with(files)
        else:
            files.release()

    # --- time -------------------------------------------------------------------------------------------------------

    def _arm_tick(self) -> None:
        if not self._tick_is_due and self._loop is not None:
            self._tick_is_due = True
            self._loop.call_later(TICK, self._tick)

    def _tick(self) -> None:
        self._task = waiting.start(waiting.run(self._look_after))

    def _look_after(self) -> None:
        if self._now() >= self._spill_again_at:
            failed = self.spill_older_than(self._spill_after)
            if failed:
                self._spill_again_at = self._now() + PAUSE
                self._complain(failed)
        self._tick_is_due = False
        if self._entries:
            self._arm_tick()
        elif self._segment is not None and self._segment.live == 0 and self._segment.submitted:
            self._submit(Order(EMPTY, self._segment, []))
            self._segment.submitted = 0

    def _complain(self, failed: dict[str, SpoolError]) -> None:
        for message_id, error in list(failed.items())[:1]:
            others = f" and {len(failed) - 1} others" if len(failed) > 1 else ""
            self._report(f"{message_id}{others} cannot leave the journal: {error}")

    def close(self) -> None:
        """Turn everything into spool files and end. What cannot be written stays in the journal, for the next start."""
        self._complain(self.spill_all())
        if self._segment is not None and self._segment.live == 0:
            self._submit(Order(REMOVE, self._segment, []))
        self._flush()
        waiting.in_thread(self._committer.stop)
        self._segment = None

    def abandon(self) -> None:
        """End without writing anything: the next process finds the messages, as after a crash."""
        self._flush()
        self._committer.stop()
        for segment in {entry.segment for entry in self._entries.values()} | {self._segment}:
            if segment is not None:
                segment.abandon()
        self._entries.clear()
        self._segment = None

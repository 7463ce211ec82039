"""Streams on an event loop: the protocol of an asyncio (or uvloop) transport, read by a greenlet.

Octets that arrive are kept as they come; only a reader that finds none waits. At most about two `HIGH_WATER` of them
are held: beyond, the transport stops reading until the reader has caught up. One timer a stream serves all its waits.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from eximious.net.stream import Endpoint, Stream, connection_reset, timed_out
from eximious.waiting import wait

HIGH_WATER: Final = 262144  # bytes received and not yet read, at which the transport pauses
LOW_WATER: Final = 65536  # ... and goes on
CLOSING_SECONDS: Final = 60.0  # how long output may take to go out after `close`, if there is no time limit


class LoopStream(Stream):
    """One connection on the running loop; also its asyncio protocol.

    `on_connection` is called with the stream when the connection is made: an accepting server starts its session there.
    """

    __slots__ = (
        "__weakref__",
        "_chunks",
        "_deadline",
        "_error",
        "_is_eof",
        "_is_lost",
        "_is_paused",
        "_is_writing_paused",
        "_loop",
        "_on_connection",
        "_on_lost",
        "_pause",
        "_reader",
        "_size",
        "_timer",
        "_transport",
        "_writer",
    )

    def __init__(self, on_connection: Callable[[LoopStream], None] | None = None) -> None:
        super().__init__()
        self._on_connection = on_connection
        self._on_lost: Callable[[], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._is_eof = False
        self._is_lost = False
        self._error: OSError | None = None
        self._is_paused = False
        self._is_writing_paused = False
        self._reader: asyncio.Future[None] | None = None  # whoever waits for input
        self._writer: asyncio.Future[None] | None = None  # whoever waits for room
        self._pause: asyncio.Future[None] | None = None  # whoever lets the peer wait
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0  # of the present wait, on the loop's clock; 0.0 for none

    # The transport's calls.

    def connection_made(self, transport: Any) -> None:
        """The transport is there."""
        self._transport = transport
        self.peer = Endpoint.of(transport.get_extra_info("peername"))
        self.local = Endpoint.of(transport.get_extra_info("sockname"))
        if self._on_connection is not None:
            self._on_connection(self)

    def data_received(self, data: bytes) -> None:
        """Octets have arrived."""
        self._chunks.append(data)
        self._size += len(data)
        if self._size >= HIGH_WATER and not self._is_paused:
            self._is_paused = True
            assert self._transport is not None
            self._transport.pause_reading()
        self._wake_reader()

    def eof_received(self) -> bool:
        """The peer sends no more; we may still send."""
        self._is_eof = True
        self._end_pause()
        self._wake_reader()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self._is_lost = self._is_eof = True
        self._transport = None
        if isinstance(error, OSError):
            self._error = error
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake_reader()
        self._wake_writer()
        self._end_pause()
        if self._on_lost is not None:
            self._on_lost()

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        self._is_writing_paused = True

    def resume_writing(self) -> None:
        """There is room again."""
        self._is_writing_paused = False
        self._wake_writer()

    # What Stream asks for.

    def _receive(self, size: int) -> bytes:
        while not self._chunks:
            if self._is_eof:
                if self._error is not None:
                    raise self._error
                return b""
            assert self._reader is None, "two readers"
            self._reader = self._loop.create_future()
            try:
                self._wait(self._reader)
            finally:
                self._reader = None
        data = self._chunks.popleft()
        if len(data) > size:
            self._chunks.appendleft(data[size:])
            data = data[:size]
        self._size -= len(data)
        if self._is_paused:
            self._go_on_reading()
        return data

    def _go_on_reading(self) -> None:
        if self._is_paused and self._size <= LOW_WATER:
            self._is_paused = False
            if self._transport is not None:
                self._transport.resume_reading()

    def _send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise self._error or connection_reset()
        self._transport.write(data)
        while self._is_writing_paused:
            if self._is_lost:
                raise self._error or connection_reset()
            assert self._writer is None, "two writers"
            self._writer = self._loop.create_future()
            try:
                self._wait(self._writer)
            finally:
                self._writer = None

    def _is_ready(self) -> bool:
        return bool(self._chunks) or self._is_eof

    def pause(self, seconds: float) -> None:
        """Wait so long, or until the peer is gone (its end of input may come after octets that nobody has read yet)."""
        if self._is_eof or seconds <= 0:
            return
        self._pause = over = self._loop.create_future()
        timer = self._loop.call_later(seconds, self._end_pause)
        try:
            wait(over)
        finally:
            self._pause = None
            timer.cancel()

    def _end_pause(self) -> None:
        over = self._pause
        if over is not None and not over.done():
            over.set_result(None)

    def has_input(self) -> bool:
        """True if a read would not wait. The kernel is asked too, since the loop may not have looked yet."""
        if super().has_input():
            return True
        transport = self._transport
        if transport is None:
            return True
        connected = transport.get_extra_info("socket")
        if connected is None or self.tls_layer is not None:
            return False
        poller = select.poll()
        poller.register(connected.fileno(), select.POLLIN)
        return bool(poller.poll(0))

    def _drop_received(self) -> None:
        self._chunks.clear()
        self._size = 0
        self._go_on_reading()

    def _shut(self, *, at_once: bool) -> None:
        transport = self._transport
        if transport is None:
            return
        if at_once:
            transport.abort()
            return
        transport.close()
        if not self._is_lost and transport.get_write_buffer_size():
            # A peer that does not read must not keep the connection for ever.
            self._loop.call_later(self.timeout or CLOSING_SECONDS, transport.abort)

    # Waiting.

    def _wait(self, future: asyncio.Future[None]) -> None:
        """Wait for the future, for at most `timeout` seconds.

        The timer of an earlier wait is left running: when it fires it looks at the present deadline. So a dialogue
        of many short waits makes one timer every `timeout` seconds, not one a wait.
        """
        seconds = self.timeout
        if seconds:
            self._deadline = deadline = self._loop.time() + seconds
            timer = self._timer
            if timer is None:
                self._timer = self._loop.call_at(deadline, self._time_is_over)
            elif timer.when() > deadline:
                timer.cancel()
                self._timer = self._loop.call_at(deadline, self._time_is_over)
        try:
            wait(future)
        finally:
            self._deadline = 0.0

    def _time_is_over(self) -> None:
        self._timer = None
        deadline = self._deadline
        if not deadline:
            return
        if self._loop.time() < deadline - 0.001:
            self._timer = self._loop.call_at(deadline, self._time_is_over)
            return
        for future in (self._reader, self._writer):
            if future is not None and not future.done():
                future.set_exception(timed_out())

    def _wake_reader(self) -> None:
        reader = self._reader
        if reader is not None and not reader.done():
            reader.set_result(None)

    def _wake_writer(self) -> None:
        writer = self._writer
        if writer is not None and not writer.done():
            writer.set_result(None)

    def push_back(self, data: bytes) -> None:
        """Octets that were read and belong to whoever reads next."""
        if data:
            self._chunks.appendleft(data)
            self._size += len(data)

    @property
    def socket(self) -> Any:
        """The connection's socket, for options; None if it is gone."""
        return None if self._transport is None else self._transport.get_extra_info("socket")

    def when_lost(self, call: Callable[[], None]) -> None:
        """Call this when the connection is gone, at once if it is already."""
        if self._is_lost:
            call()
        else:
            self._on_lost = call

"""Streams of one-shot processes: file descriptors that block, and `poll` for the time limit. No event loop."""

from __future__ import annotations

import os
import select
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from eximious.net.stream import Endpoint, Stream, timed_out

if TYPE_CHECKING:
    from socket import socket as Socket

PIPE_BUF: Final = select.PIPE_BUF  # octets that never block when poll says that there is room
PLENTY: Final = 65536
POLLRDHUP: Final = getattr(select, "POLLRDHUP", 0)
MSG_DONTWAIT: Final = 0x40  # Linux; spares the import of `socket` where standard input and output are all there is


class BlockingStream(Stream):
    """Two file descriptors, such as standard input and output (``exim -bs``). Closing does not close them."""

    __slots__ = ("_input_fd", "_is_open", "_output_fd")

    def __init__(self, input_fd: int, output_fd: int) -> None:
        super().__init__()
        self._input_fd = input_fd
        self._output_fd = output_fd
        self._is_open = True

    def _receive(self, size: int) -> bytes:
        self._wait_for(self._input_fd, select.POLLIN)
        return os.read(self._input_fd, size)

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._wait_for(self._output_fd, select.POLLOUT)
            rest = rest[self._send_some(rest) :]

    def _send_some(self, data: memoryview) -> int:
        # Descriptors may be shared with the caller, so they are not made non-blocking.
        return os.write(self._output_fd, data[:PIPE_BUF] if self.timeout else data)

    def _wait_for(self, fd: int, events: int) -> None:
        if self.timeout and not _poll(fd, events, self.timeout):
            raise timed_out()

    def _is_ready(self) -> bool:
        return _poll(self._input_fd, select.POLLIN, 0)

    def pause(self, seconds: float) -> None:
        """Wait so long, or until the peer hangs up."""
        _poll(self._input_fd, POLLRDHUP, seconds)

    def _drop_received(self) -> None:
        """Nothing is read ahead; what the kernel holds is taken now."""
        while self._is_ready() and os.read(self._input_fd, PLENTY):
            pass

    def _shut(self, *, at_once: bool) -> None:
        self._is_open = False


def _poll(fd: int, events: int, seconds: float) -> bool:
    poller = select.poll()
    poller.register(fd, events)
    return bool(poller.poll(seconds * 1000))


class SocketStream(BlockingStream):
    """A connected socket, owned: closing closes it."""

    __slots__ = ("_socket",)

    def __init__(self, connected: Socket) -> None:
        connected.setblocking(True)
        super().__init__(connected.fileno(), connected.fileno())
        self._socket = connected
        self.local = Endpoint.of(connected.getsockname())
        with suppress(OSError):
            self.peer = Endpoint.of(connected.getpeername())

    @property
    def socket(self) -> Socket:
        """The connection's socket, for options."""
        return self._socket

    def _send_some(self, data: memoryview) -> int:
        try:
            return self._socket.send(data, MSG_DONTWAIT)
        except BlockingIOError:
            if not _poll(self._output_fd, select.POLLOUT, self.timeout or 3600):
                raise timed_out() from None
            return 0

    def _shut(self, *, at_once: bool) -> None:
        if self._is_open and at_once:
            import socket
            import struct

            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._is_open = False
        self._socket.close()

"""A stream without anything behind it: what is read was given beforehand, what is written is kept. For tests."""

from __future__ import annotations

from collections import deque

from eximious.net.stream import Endpoint, Stream, connection_reset


class MemoryStream(Stream):
    """Gives its pieces of input one by one, then the end; `sent` is all that has been sent so far."""

    __slots__ = ("_pieces", "is_aborted", "is_closed", "paused", "sent")

    def __init__(self, *pieces: bytes, peer: Endpoint | None = None, local: Endpoint | None = None) -> None:
        super().__init__()
        self._pieces = deque(piece for piece in pieces if piece)
        self.sent = b""
        self.paused = 0.0  # seconds, in all
        self.is_closed = False
        self.is_aborted = False
        self.peer = peer or Endpoint()
        self.local = local or Endpoint()

    def give(self, piece: bytes) -> None:
        """More input."""
        self._pieces.append(piece)

    def _receive(self, size: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        if len(piece) > size:
            self._pieces.appendleft(piece[size:])
        return piece[:size]

    def _send(self, data: bytes) -> None:
        if self.is_closed:
            raise connection_reset()
        self.sent += data

    def _is_ready(self) -> bool:
        return bool(self._pieces)

    def pause(self, seconds: float) -> None:
        """Do not wait; remember for how long."""
        self.paused += seconds

    def _drop_received(self) -> None:
        self._pieces.clear()

    def _shut(self, *, at_once: bool) -> None:
        self.is_closed = True
        self.is_aborted = self.is_aborted or at_once

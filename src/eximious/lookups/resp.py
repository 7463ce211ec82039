"""RESP, the protocol of Redis: commands as arrays of strings, replies of five kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eximious.lookups.servers import Clock

if TYPE_CHECKING:
    from eximious.net.stream import Stream

LONGEST_REPLY: Final = 64 * 1024 * 1024  # octets
LONGEST_LINE: Final = 64 * 1024
MOST_ELEMENTS: Final = 1_000_000  # of an array
DEEPEST: Final = 8  # arrays within arrays


class ProtocolError(Exception):
    """The other side does not speak RESP, or says too much."""


class ErrorReply:
    """A reply that begins with ``-``."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Connection:
    """One connection to a server."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._clock = Clock(0.0)
        self._size = 0  # octets of the present reply

    def close(self) -> None:
        """End the connection."""
        self._stream.close()

    def call(self, words: list[bytes], limit: float) -> Any:
        """The reply to a command within `limit` seconds: bytes, an int, None, a list of these, or an ErrorReply.

        Raises OSError or ProtocolError; then the connection cannot be used any more.
        """
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
        self._clock = Clock(limit)
        self._size = 0
        self._stream.timeout = limit
        self._stream.write(b"".join(parts))
        self._stream.flush()
        return self._reply(0)

    def _reply(self, depth: int) -> Any:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b"-":
            return ErrorReply(rest.decode("latin-1"))
        if kind not in (b":", b"$", b"*"):
            raise ProtocolError(f"unexpected reply {line[:40]!r}")
        try:
            number = int(rest)
        except ValueError:
            raise ProtocolError(f"unexpected reply {line[:40]!r}") from None
        if kind == b":":
            return number
        if number < 0:
            return None
        if number > LONGEST_REPLY:
            raise ProtocolError("the reply is too long")
        if kind == b"$":
            return self._octets(number)
        if depth >= DEEPEST:
            raise ProtocolError("the reply is nested too deeply")
        if number > MOST_ELEMENTS:
            raise ProtocolError("the reply has too many elements")
        return [self._reply(depth + 1) for _ in range(number)]

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > LONGEST_LINE:
                raise ProtocolError("the reply's line is too long")
            self._fill()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _octets(self, count: int) -> bytes:
        while len(self._buffer) < count + 2:
            self._fill()
        octets = bytes(self._buffer[:count])
        del self._buffer[: count + 2]
        return octets

    def _fill(self) -> None:
        self._stream.timeout = self._clock.left()
        data = self._stream.read()
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._buffer += data
        self._size += len(data)
        if self._size > LONGEST_REPLY:
            raise ProtocolError("the reply is too long")

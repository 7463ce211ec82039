"""Replies of SMTP: how they are written, and how a client reads them."""

from __future__ import annotations

import re
from typing import Final

LINE_LIMIT: Final = 4096  # bytes of one reply line that are kept (RFC 5321 section 4.5.3.1.5 asks for 512)
# A code alone, without even a space, is a reply too (CVE-2026-43964 was an over-read here).
_REPLY_LINE: Final = re.compile(rb"[0-9][0-9][0-9](?:[ -]|\Z)")
REPLY_LIMIT: Final = 65536  # bytes of a whole reply; beyond, the server is not sane


def format_reply(code: int | str, text: str = "") -> bytes:
    """A reply as it is sent: one line for each line of the text, all with the same code (RFC 5321 section 4.2.1)."""
    if "\n" not in text and "\r" not in text:
        return f"{code} {text}\r\n".encode("latin-1", "replace")
    lines = text.rstrip("\r\n").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    last = lines.pop()
    before = "".join([f"{code}-{line}\r\n" for line in lines])
    return f"{before}{code} {last}\r\n".encode("latin-1", "replace")


class Reply:
    """What a server said: `code` and the text of each line. Text is octets in str."""

    __slots__ = ("code", "lines")

    def __init__(self, code: int, lines: list[str]) -> None:
        self.code = code
        self.lines = lines

    @property
    def text(self) -> str:
        """The text of all lines, with newlines between."""
        return "\n".join(self.lines)

    def __str__(self) -> str:
        """As it came: each line with its code, newlines between."""
        last = len(self.lines) - 1
        return "\n".join(f"{self.code}{' ' if n == last else '-'}{line}" for n, line in enumerate(self.lines))

    def __repr__(self) -> str:
        return f"Reply({self.code}, {self.lines!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reply) and (self.code, self.lines) == (other.code, other.lines)

    __hash__ = None  # type: ignore[assignment]

    @property
    def is_positive(self) -> bool:
        """2xx."""
        return 200 <= self.code < 300

    @property
    def is_intermediate(self) -> bool:
        """3xx."""
        return 300 <= self.code < 400

    @property
    def is_temporary(self) -> bool:
        """4xx."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """5xx."""
        return 500 <= self.code < 600


class MalformedReply(ValueError):
    """What a server sent is no reply; `received` is (the beginning of) it."""

    def __init__(self, received: bytes) -> None:
        super().__init__("malformed SMTP reply")
        self.received = received


class ReplyReader:
    """Octets in, replies out."""

    __slots__ = ("_buffer", "_lines", "_position", "_size")

    def __init__(self) -> None:
        self._buffer = b""
        self._position = 0  # where in the buffer the next line begins
        self._lines: list[bytes] = []  # of the reply that is not complete
        self._size = 0  # of those lines

    def receive(self, data: bytes) -> None:
        """Octets from the server."""
        self._buffer = self._buffer[self._position :] + data
        self._position = 0

    @property
    def pending(self) -> bytes:
        """What has been received and is no complete reply yet."""
        return b"".join([line + b"\n" for line in self._lines]) + self._buffer[self._position :]

    def discard(self) -> None:
        """Forget what has been received: plaintext must not count after STARTTLS (CVE-2021-38371)."""
        self._buffer = b""
        self._position = 0
        self._lines.clear()
        self._size = 0

    def next_reply(self) -> Reply | None:
        """The next complete reply; None until more octets come. Raises MalformedReply."""
        while True:
            end = self._buffer.find(b"\n", self._position)
            if end < 0:
                if self._size + len(self._buffer) - self._position > REPLY_LIMIT:
                    raise MalformedReply(self.pending[:LINE_LIMIT])
                return None
            line = self._buffer[self._position : end]
            self._size += end + 1 - self._position
            self._position = end + 1
            if line[-1:] == b"\r":
                line = line[:-1]
            self._lines.append(line)
            if not _REPLY_LINE.match(line) or line[:3] != self._lines[0][:3] or self._size > REPLY_LIMIT:
                raise MalformedReply(b"\n".join(self._lines)[:LINE_LIMIT])
            if line[3:4] != b"-":
                reply = Reply(int(line[:3]), [one[4 : LINE_LIMIT + 4].decode("latin-1") for one in self._lines])
                self._lines.clear()
                self._size = 0
                return reply

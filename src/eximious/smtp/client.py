"""The client's side of one SMTP conversation, without I/O: commands out, replies in, each with what it answers."""

from __future__ import annotations

from collections import deque
from typing import Final

from eximious.smtp.reply import MalformedReply, Reply, ReplyReader

PIPELINE_LIMIT: Final = 1000  # commands under way; beyond, wait for replies
LINE_ENDS: Final = str.maketrans("\r\n\0", "   ")


class Unexpected(MalformedReply):
    """A reply to nothing that was asked."""


class ClientProtocol:
    """Keeps commands and replies in step.

    ::

        stream.write(protocol.command("MAIL FROM:<a@example.org>"))
        stream.write(protocol.command("RCPT TO:<b@example.org>"))
        while (answered := protocol.next_reply()) is None:
            protocol.receive(stream.read())
        command, reply = answered
    """

    __slots__ = ("_reader", "_waiting")

    def __init__(self) -> None:
        self._reader = ReplyReader()
        self._waiting: deque[str] = deque()

    def expect(self, what: str) -> None:
        """A reply will come that no command asks for: the banner, the verdict on a message."""
        self._waiting.append(what)

    def command(self, line: str) -> bytes:
        """The octets of a command; its reply is waited for. Line ends inside become spaces: one line, one command."""
        if "\r" in line or "\n" in line or "\0" in line:
            line = line.translate(LINE_ENDS)
        self._waiting.append(line)
        return line.encode("latin-1") + b"\r\n"

    @property
    def waiting(self) -> int:
        """How many replies are still to come."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """So many commands are under way that replies should be read first."""
        return len(self._waiting) >= PIPELINE_LIMIT

    def receive(self, data: bytes) -> None:
        """Octets from the server."""
        self._reader.receive(data)

    @property
    def pending(self) -> bytes:
        """What has been received and not used."""
        return self._reader.pending

    def next_reply(self) -> tuple[str, Reply] | None:
        """The next reply and what it answers; None until more octets come. Raises MalformedReply, Unexpected."""
        reply = self._reader.next_reply()
        if reply is None:
            return None
        if not self._waiting:
            raise Unexpected(str(reply).encode("latin-1", "replace"))
        return self._waiting.popleft(), reply

    def forget(self) -> None:
        """Expect nothing any more: the connection is over."""
        self._waiting.clear()

    def start_tls(self) -> None:
        """TLS has begun: what came in the clear after the reply to STARTTLS does not count (CVE-2021-38371)."""
        self._reader.discard()

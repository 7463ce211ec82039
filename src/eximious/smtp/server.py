"""The server's side of one SMTP conversation, without I/O: bytes go in, commands and message text come out.

The protocol knows the order of commands and the bounds of what it reads. What a command may do is policy's business: it
answers, and says with `succeeded` where the conversation stands.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Final

from eximious.smtp.command import WITHOUT_ARGUMENT, Command, parse_command
from eximious.smtp.data import ChunkReader, DataReader
from eximious.smtp.message_text import DEFAULT_HEADER_LIMIT

LINE_LIMIT: Final = 16384  # bytes of a command; what Exim takes (RFC 5321 section 4.5.3.1.4 asks for 512 at least)


_CHUNK: Final = re.compile(r"(\d{1,18})(?!\d)[ \t]*(LAST)?", re.IGNORECASE)


class Stage(enum.IntEnum):
    """How far a conversation has come."""

    GREETED = 0  # nothing but the banner
    READY = 1  # HELO or EHLO
    SENDER = 2  # MAIL
    RECIPIENTS = 3  # one RCPT or more
    TEXT = 4  # inside DATA or a chunk of BDAT
    CHUNKS = 5  # between the chunks of BDAT
    CLOSED = 6


class Fault(enum.Enum):
    """What was wrong with a refused line: each kind is counted by itself (see Exim's ``smtp_max_...`` options)."""

    UNKNOWN = "unrecognized command"
    SYNTAX = "syntax or protocol error"


class Refusal:
    """An answer to a line that is not a command, or one that cannot come now."""

    __slots__ = ("code", "fault", "line", "text")

    def __init__(self, code: int, text: str, fault: Fault, line: str) -> None:
        self.code = code
        self.text = text
        self.fault = fault
        self.line = line  # what was refused

    def __repr__(self) -> str:
        return f"Refusal({self.code}, {self.text!r}, {self.fault.name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refusal) and (self.code, self.text, self.fault, self.line) == (
            other.code,
            other.text,
            other.fault,
            other.line,
        )

    __hash__ = None  # type: ignore[assignment]


# Where each command leads when it succeeds (RFC 5321 section 4.1.4); others leave the conversation where it is.
LEADS_TO: Final = {
    "HELO": Stage.READY,
    "EHLO": Stage.READY,
    "MAIL": Stage.SENDER,
    "RCPT": Stage.RECIPIENTS,
    "QUIT": Stage.CLOSED,
}


BETWEEN_CHUNKS: Final = frozenset({"BDAT", "RSET", "NOOP", "QUIT"})


class ServerProtocol:
    """One conversation: `receive` fills the buffer, `next_command` empties it, `begin_data` turns to a message's text.

    Commands end with LF or CRLF, as Exim takes them. A line longer than `LINE_LIMIT` is dropped as it comes.
    """

    __slots__ = ("_buffer", "_chunks_failed", "_in_long_line", "_position", "_unwanted", "line_is_cut", "stage")

    def __init__(self) -> None:
        self.stage = Stage.GREETED
        self.line_is_cut = False  # the last line was too long; what was given is its beginning
        self._buffer = b""
        self._position = 0  # where in the buffer the next command begins
        self._unwanted = 0  # octets of a refused chunk that are still to come
        self._in_long_line = b""  # the beginning of a line that is too long, while it lasts
        self._chunks_failed = False  # something stood between chunks that must not

    def receive(self, data: bytes) -> None:
        """Octets from the client. The caller receives only when `next_command` (or the text's reader) asks for more,
        so the buffer stays within one read and one line."""
        self._buffer = self._buffer[self._position :] + data
        self._position = 0

    @property
    def pending(self) -> bytes:
        """What has been received and not yet used: the client's next input."""
        return self._buffer[self._position :]

    @property
    def has_pending(self) -> bool:
        """True if there is such input."""
        return self._position < len(self._buffer)

    def next_line(self) -> str | None:
        """The next line without its line end, as it stands; None until more octets come. See `line_is_cut`."""
        if self._unwanted:
            unwanted = min(self._unwanted, len(self._buffer) - self._position)
            self._position += unwanted
            self._unwanted -= unwanted
        start = self._position
        end = self._buffer.find(b"\n", start)
        if end < 0:
            if len(self._buffer) - start >= LINE_LIMIT or self._in_long_line:
                self._in_long_line = self._in_long_line or self._buffer[start : start + LINE_LIMIT]
                self._buffer = b""
                self._position = 0
            return None
        self._position = end + 1
        line = self._buffer[start:end]
        self.line_is_cut = bool(self._in_long_line) or len(line) >= LINE_LIMIT
        if self.line_is_cut:
            line = self._in_long_line or line[:LINE_LIMIT]
            self._in_long_line = b""
        return line.decode("latin-1").rstrip("\r")

    def next_command(self) -> Command | Refusal | None:
        """The next command; a refusal to send in its place; None until more octets come."""
        if self.stage is Stage.CLOSED:
            return None
        line = self.next_line()
        if line is None:
            return None
        if self.line_is_cut:
            return Refusal(501, "line too long", Fault.SYNTAX, line)
        if "\0" in line:
            return Refusal(501, "NUL characters are not allowed in SMTP commands", Fault.SYNTAX, line)
        command = parse_command(line)
        return self._fault(command) or command

    def _fault(self, command: Command) -> Refusal | None:
        verb = command.verb
        if self.stage is Stage.CHUNKS and (self._chunks_failed or verb not in BETWEEN_CHUNKS):
            if verb == "QUIT" or (verb == "RSET" and not command.argument):
                return None
            text = "only RSET accepted now" if self._chunks_failed else "only BDAT permissible after non-LAST BDAT"
            self._chunks_failed = True
            return self._refuse(503, text, command)
        if not verb:
            return Refusal(500, "unrecognized command", Fault.UNKNOWN, command.line)
        if verb in WITHOUT_ARGUMENT and command.argument:
            return self._refuse(501, "unexpected argument data", command)
        if verb == "MAIL" and self.stage >= Stage.SENDER:
            return self._refuse(503, "sender already given", command)
        if verb == "RCPT" and self.stage < Stage.SENDER:
            return self._refuse(503, "sender not yet given", command)
        if verb == "DATA" and self.stage is not Stage.RECIPIENTS:
            return self._refuse(503, "valid RCPT command must precede DATA", command)
        if verb in ("MAIL", "RCPT") and not command.argument:
            return self._refuse(501, f"{verb} must have an address operand", command)
        if verb == "BDAT":
            if chunk_arguments(command.argument) is None:
                return self._refuse(501, "missing size for BDAT command", command)
            if self.stage < Stage.RECIPIENTS:
                return self._refuse(503, "valid RCPT command must precede BDAT", command)
        return None

    def _refuse(self, code: int, text: str, command: Command) -> Refusal:
        if command.verb == "BDAT":
            self.skip_chunk(command)
        return Refusal(code, text, Fault.SYNTAX, command.line)

    def skip_chunk(self, command: Command) -> None:
        """A BDAT command is refused: its octets, which may be on their way, are not commands (RFC 3030 section 2)."""
        chunk = chunk_arguments(command.argument)
        if chunk is not None:
            self._unwanted = chunk[0]

    def succeeded(self, command: Command) -> None:
        """The command has been answered with success: go to where it leads."""
        if command.verb == "RSET":
            self.reset()
        else:
            self.stage = LEADS_TO.get(command.verb, self.stage)

    def reset(self) -> None:
        """There is no transaction (any more): after RSET, after a message, after a failure."""
        self._chunks_failed = False
        if self.stage is not Stage.CLOSED:
            self.stage = min(self.stage, Stage.READY)

    def begin_data(
        self,
        header_limit: int = DEFAULT_HEADER_LIMIT,
        header_line_limit: int = 0,
        is_from_line: Callable[[bytes], object] | None = None,
    ) -> DataReader:
        """The text of a message follows; feed the reader until it is complete, then call `end_data`."""
        self.stage = Stage.TEXT
        reader = DataReader(header_limit, header_line_limit)
        reader.is_from_line = is_from_line
        pending = self.pending
        if pending:
            self._buffer = b""
            self._position = 0
            reader.feed(pending)
        return reader

    def end_data(self, reader: DataReader) -> None:
        """The text is complete: what came after it are commands again."""
        self._buffer = reader.rest
        self._position = 0
        reader.rest = b""
        self.stage = Stage.READY

    def begin_chunk(self, command: Command, reader: ChunkReader) -> None:
        """The octets of a BDAT command follow; feed the reader until the chunk is complete, then call `end_chunk`."""
        chunk = chunk_arguments(command.argument)
        assert chunk is not None, "refused before"
        self.stage = Stage.TEXT
        size, is_last = chunk
        reader.begin_chunk(size, is_last=is_last)
        pending = self.pending
        self._buffer = b""
        self._position = 0
        if reader.is_chunk_complete:
            reader.rest = pending
        elif pending:
            reader.feed(pending)

    def end_chunk(self, reader: ChunkReader) -> None:
        """The chunk is complete: what came after it are commands again."""
        self._buffer = reader.rest
        self._position = 0
        reader.rest = b""
        self.stage = Stage.READY if reader.is_complete else Stage.CHUNKS

    def start_tls(self) -> None:
        """TLS has begun: nothing from before it counts, neither what was said nor what was sent (RFC 3207 section 4.2,
        CVE-2011-0411)."""
        self._buffer = b""
        self._position = 0
        self._in_long_line = b""
        self._unwanted = 0
        self.stage = Stage.GREETED

    def close(self) -> None:
        """Nothing that comes is a command any more."""
        self._buffer = b""
        self._position = 0
        self.stage = Stage.CLOSED


def chunk_arguments(argument: str) -> tuple[int, bool] | None:
    """Size and LAST of a BDAT command; None if there is no size. What else stands there is ignored, as Exim does."""
    match = _CHUNK.match(argument)
    return None if match is None else (int(match[1]), match[2] is not None)

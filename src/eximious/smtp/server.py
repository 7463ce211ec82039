"""The server's side of one SMTP conversation, without I/O: bytes go in, commands and message text come out.

The protocol knows the order of commands and the bounds of what it reads. What a command may do is policy's business: it
answers, and says with `succeeded` where the conversation stands.
"""

from __future__ import annotations

import enum
from typing import Final

from eximious.smtp.command import WITHOUT_ARGUMENT, Command, parse_command
from eximious.smtp.data import DEFAULT_HEADER_LIMIT, DataReader

LINE_LIMIT: Final = 16384  # bytes of a command; what Exim takes (RFC 5321 section 4.5.3.1.4 asks for 512 at least)


class Stage(enum.IntEnum):
    """How far a conversation has come."""

    GREETED = 0  # nothing but the banner
    READY = 1  # HELO or EHLO
    SENDER = 2  # MAIL
    RECIPIENTS = 3  # one RCPT or more
    TEXT = 4  # inside DATA or between the chunks of BDAT
    CLOSED = 5


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


class ServerProtocol:
    """One conversation: `receive` fills the buffer, `next_command` empties it, `begin_data` turns to a message's text.

    Commands end with LF or CRLF, as Exim takes them.
    """

    __slots__ = ("_buffer", "_position", "stage")

    def __init__(self) -> None:
        self.stage = Stage.GREETED
        self._buffer = b""
        self._position = 0  # where in the buffer the next command begins

    def receive(self, data: bytes) -> None:
        """Octets from the client. The caller receives only when `next_command` (or the text's reader) asks for more,
        so the buffer stays within one read and one line."""
        self._buffer = self._buffer[self._position :] + data
        self._position = 0

    @property
    def pending(self) -> bytes:
        """What has been received and not yet used: the client's next input."""
        return self._buffer[self._position :]

    def next_line(self) -> str | None:
        """The next line without its line end, as it stands; None until more octets come.

        A line that is longer than `LINE_LIMIT` is given in pieces.
        """
        end = self._buffer.find(b"\n", self._position, self._position + LINE_LIMIT)
        if end < 0:
            if len(self._buffer) - self._position < LINE_LIMIT:
                return None
            end = self._position + LINE_LIMIT - 1
        line = self._buffer[self._position : end]
        self._position = end + 1
        return line.decode("latin-1").rstrip("\r")

    def next_command(self) -> Command | Refusal | None:
        """The next command; a refusal to send in its place; None until more octets come."""
        if self.stage is Stage.CLOSED:
            return None
        line = self.next_line()
        if line is None:
            return None
        if "\0" in line:
            return Refusal(501, "NUL characters are not allowed in SMTP commands", Fault.SYNTAX, line)
        command = parse_command(line)
        return self._fault(command) or command

    def _fault(self, command: Command) -> Refusal | None:
        verb = command.verb
        if not verb:
            return Refusal(500, "unrecognized command", Fault.UNKNOWN, command.line)
        text = ""
        if verb in WITHOUT_ARGUMENT:
            if command.argument:
                return Refusal(501, "unexpected argument data", Fault.SYNTAX, command.line)
        elif verb == "MAIL":
            if self.stage >= Stage.SENDER:
                text = "sender already given"
        elif verb == "RCPT" and self.stage < Stage.SENDER:
            text = "sender not yet given"
        if verb == "DATA" and self.stage != Stage.RECIPIENTS:
            text = "valid RCPT command must precede DATA"
        if text:
            return Refusal(503, text, Fault.SYNTAX, command.line)
        if verb in ("MAIL", "RCPT") and not command.argument:
            return Refusal(501, f"{verb} must have an address operand", Fault.SYNTAX, command.line)
        return None

    def succeeded(self, command: Command) -> None:
        """The command has been answered with success: go to where it leads."""
        if command.verb == "RSET":
            self.reset()
        else:
            self.stage = LEADS_TO.get(command.verb, self.stage)

    def reset(self) -> None:
        """There is no transaction (any more): after RSET, after a message, after a failure."""
        if self.stage is not Stage.CLOSED:
            self.stage = min(self.stage, Stage.READY)

    def begin_data(self, header_limit: int = DEFAULT_HEADER_LIMIT, header_line_limit: int = 0) -> DataReader:
        """The text of a message follows; feed the reader until it is complete, then call `end_data`."""
        self.stage = Stage.TEXT
        reader = DataReader(header_limit, header_line_limit)
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

    def start_tls(self) -> None:
        """TLS has begun: nothing from before it counts, neither what was said nor what was sent (RFC 3207 section 4.2,
        CVE-2011-0411)."""
        self._buffer = b""
        self._position = 0
        self.stage = Stage.GREETED

    def close(self) -> None:
        """Nothing that comes is a command any more."""
        self._buffer = b""
        self._position = 0
        self.stage = Stage.CLOSED

"""The -H file of a message: envelope, state and headers, in Exim's form (chapter "Format of spool files").

`dump` and `load` turn a message into the octets of the file and back. Values that came from outside carry a second
hyphen (``--helo_name``). Lines that this version does not know are kept in `Message.spool_extra` and written again.
No value can make a line of its own: a newline or NUL in one becomes a space, and is refused in an address.
"""

from __future__ import annotations

import re
from typing import Final

from eximious.spool import tree
from eximious.spool.errors import SpoolError, SpoolFormatError
from eximious.spool.header_variables import AFTER_ACL, BEFORE_ACL, BY_NAME, number, one_line
from eximious.spool.message import Header, Message, Recipient
from eximious.taint import Tainted, is_tainted

MAX_SIZE: Final = 256 * 1024 * 1024  # octets of a -H file that is read at all
MAX_RECIPIENTS: Final = 1_000_000

# NOTIFY of RFC 3461: our bit (success, failure, delay, never), and the one in the file.
_DSN_BITS: Final = ((1, 4), (2, 8), (4, 16), (8, 2))


# --- writing ---------------------------------------------------------------------------------------------------------


def dump(message: Message) -> bytes:
    """The -H file of the message. Raises SpoolError if an address of the envelope cannot stand on one line."""
    out: list[str] = [
        f"{message.id}-H\n{one_line(message.login)} {message.originator_uid} {message.originator_gid}\n"
        f"<{_address(message.sender)}>\n"
        f"{round(message.received_at * 1e6) // 1_000_000} {message.warning_count}\n"
    ]
    out += BEFORE_ACL.lines(message)
    _dump_acl_variables("aclc", message.client.acl_variables, out)
    _dump_acl_variables("aclm", message.acl_variables, out)
    out += AFTER_ACL.lines(message)
    for line in message.spool_extra:
        if line.startswith("-"):
            out.append(f"{one_line(line)}\n")
    if message.nonrecipients:
        out.extend(f"{line}\n" for line in tree.lines(map(_address, message.nonrecipients)))
    else:
        out.append(f"{tree.EMPTY}\n")
    out.append(f"{len(message.recipients)}\n")
    out.extend(map(_recipient_line, message.recipients))
    out.append("\n")
    for header in message.headers:
        out.append(f"{len(header.text):03d}{header.kind} {header.text}")
    try:
        return "".join(out).encode("latin-1")
    except UnicodeEncodeError as error:
        raise SpoolError(f"not octets: {error.object[error.start : error.end]!r}") from error


def _dump_acl_variables(name: str, variables: dict[str, str], out: list[str]) -> None:
    for key, value in variables.items():
        hyphens = "--" if is_tainted(value) else "-"
        out.append(f"{hyphens}{name} {one_line(key)[1:]} {len(value)}\n{value}\n")


def _address(text: str) -> str:
    if "\n" in text or "\0" in text:
        raise SpoolError("an address with a newline or NUL in it cannot be spooled")
    return text


def _recipient_line(recipient: Recipient) -> str:
    address = _address(recipient.address)
    flags = sum(disk for ours, disk in _DSN_BITS if recipient.dsn_flags & ours)
    if not (flags or recipient.orcpt or recipient.errors_to or recipient.parent_number >= 0 or "#" in address):
        return f"{address}\n"
    orcpt, errors_to = _address(recipient.orcpt), _address(recipient.errors_to)
    return f"{address} {orcpt} {len(orcpt)},{flags} {errors_to} {len(errors_to)},{recipient.parent_number}#3\n"


# --- reading ---------------------------------------------------------------------------------------------------------


class _Reader:
    """The lines of a file, one after the other; `what` names the part that is being read, for errors."""

    __slots__ = ("position", "text", "what")

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.what = "first line"

    def line(self) -> str:
        end = self.text.find("\n", self.position)
        if end < 0:
            raise SpoolFormatError(f"{self.what}: the file ends early")
        line = self.text[self.position : end]
        self.position = end + 1
        return line

    def take(self, length: int) -> str:
        """That many characters, which a newline must follow; it is passed over."""
        end = self.position + length
        if length < 0 or self.text[end : end + 1] != "\n":
            raise SpoolFormatError(f"{self.what}: wrong length")
        taken = self.text[self.position : end]
        self.position = end + 1
        return taken


def load(data: bytes, message_id: str) -> Message:
    """The message whose -H file this is. Raises SpoolFormatError, naming the part that is wrong."""
    if len(data) > MAX_SIZE:
        raise SpoolFormatError("too large")
    reader = _Reader(data.decode("latin-1"))
    if reader.line() != f"{message_id}-H":
        raise SpoolFormatError("first line: not the name of the file")
    message = Message()
    message.id = message_id
    message.deliver_first_time = False
    _load_envelope(reader, message)
    line = _load_variables(reader, message)
    reader.what = "nonrecipients"
    message.nonrecipients = tree.parse(line, reader.line)
    _load_recipients(reader, message)
    _load_headers(reader, message)
    return message


def _load_envelope(reader: _Reader, message: Message) -> None:
    reader.what = "originator"
    originator = reader.line().rsplit(" ", 2)
    if len(originator) != 3:
        raise SpoolFormatError("originator: login, uid and gid expected")
    message.login = originator[0]
    message.originator_uid = number(originator[1], reader.what)
    message.originator_gid = number(originator[2], reader.what)
    reader.what = "sender"
    sender = reader.line()
    if not (sender.startswith("<") and sender.endswith(">")):
        raise SpoolFormatError("sender: angle brackets expected")
    message.sender = Tainted(sender[1:-1])
    reader.what = "time"
    time, _, warnings = reader.line().partition(" ")
    message.received_at = float(number(time, reader.what))
    message.warning_count = number(warnings, reader.what)


_VARIABLE: Final = re.compile(r"-(?P<taint>-(?:\([^)]*\))?)?(?P<name>\w+)(?: (?P<value>.*))?\Z", re.DOTALL | re.ASCII)


def _load_variables(reader: _Reader, message: Message) -> str:
    """Reads the lines that begin with a hyphen; gives the first one that does not."""
    reader.what = "variables"
    while (line := reader.line()).startswith("-"):
        match = _VARIABLE.match(line)
        name = match["name"] if match else ""
        if match is None or (name not in BY_NAME and name not in _ACL):
            if "\0" not in line:  # such a one would be another line when it is written
                message.spool_extra.append(line)
        elif name in _ACL:
            _load_acl_variable(reader, message, match)
        else:
            value = match["value"] or ""
            BY_NAME[name].read(message, Tainted(value) if match["taint"] else value)
    return line


_ACL: Final = frozenset({"acl", "aclc", "aclm"})


def _load_acl_variable(reader: _Reader, message: Message, match: re.Match[str]) -> None:
    name, _, length = (match["value"] or "").rpartition(" ")
    kind = match["name"][3:]
    reader.what = f"variable acl_{kind}{name}"
    data = reader.take(number(length, reader.what))
    if not kind:  # Exim before 4.61: numbers 0 to 9 are connection variables, the next ten belong to the message
        index = number(name, reader.what)
        kind, name = ("c", str(index)) if index < 10 else ("m", str(index - 10))
    variables = message.client.acl_variables if kind == "c" else message.acl_variables
    variables[kind + name] = Tainted(data) if match["taint"] else data


def _load_recipients(reader: _Reader, message: Message) -> None:
    reader.what = "recipients"
    count = number(reader.line(), reader.what)
    if not 0 <= count <= MAX_RECIPIENTS:
        raise SpoolFormatError("recipients: impossible count")
    for _ in range(count):
        message.recipients.append(_parse_recipient(reader.line()))
    if reader.line():
        raise SpoolFormatError("recipients: an empty line must follow")


_FLAGS: Final = re.compile(r"(?<=[0-9])#([0-9]{1,3})\Z")
_PAIR: Final = re.compile(r" ([0-9]{1,9}),(-?[0-9]{1,9})\Z")


def _parse_recipient(line: str) -> Recipient:
    """``address``, or with what follows in the file, read from its end:

    ``address orcpt LENGTH,DSN errors_to LENGTH,PARENT#3``; ``#1`` is without the DSN part, ``#2`` with it alone.
    """
    match = _FLAGS.search(line)
    if match is None:
        return Recipient(Tainted(line))
    flags, rest = int(match[1]), line[: match.start()]
    errors_to, parent_number, orcpt, dsn_flags = "", -1, "", 0
    if flags & 1:
        rest, errors_to, parent_number = _take_pair(rest)
    if flags & 2:
        rest, orcpt, dsn_flags = _take_pair(rest)
    recipient = Recipient(Tainted(rest))
    recipient.errors_to = errors_to
    recipient.parent_number = parent_number
    recipient.orcpt = Tainted(orcpt) if orcpt else ""
    recipient.dsn_flags = sum(ours for ours, disk in _DSN_BITS if dsn_flags & disk)
    return recipient


def _take_pair(text: str) -> tuple[str, str, int]:
    """What is before `` TEXT LENGTH,NUMBER`` at the end, the text of that length, and the number."""
    match = _PAIR.search(text)
    if match is None:
        raise SpoolFormatError("recipients: length and number expected")
    rest, taken = _cut(text[: match.start()], int(match[1]))
    return rest, taken, int(match[2])


def _cut(text: str, length: int) -> tuple[str, str]:
    """Take the last `length` characters off, and the space before them."""
    at = len(text) - length
    if at < 1 or text[at - 1] != " ":
        raise SpoolFormatError("recipients: wrong length")
    return text[: at - 1], text[at:]


_HEADER: Final = re.compile(r"([0-9]{3,9})(.) ")


def _load_headers(reader: _Reader, message: Message) -> None:
    reader.what = "headers"
    text, position = reader.text, reader.position
    while position < len(text):
        match = _HEADER.match(text, position)
        if match is None:
            raise SpoolFormatError("headers: length and type expected")
        position = match.end() + int(match[1])
        header = text[match.end() : position]
        if not header.endswith("\n") or position > len(text):
            raise SpoolFormatError("headers: wrong length")
        message.headers.append(Header(Tainted(header), match[2]))

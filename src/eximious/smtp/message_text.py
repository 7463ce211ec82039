"""The text of a message as it comes in, taken apart into headers and body, its line ends made LF.

What looks like a line end and is none is made harmless, as Exim does it:

==============  ========================  ============================================
what came       in the header section     in the body
==============  ========================  ============================================
bare CR         newline and a space       newline
bare LF         newline and a space       space after DATA, newline otherwise
NUL             ``?``                     kept
==============  ========================  ============================================

A message whose very first line ends with a bare LF (people who type, programs on this machine) has LF line ends
throughout; there CRLF counts as LF. The common case, a message without anything unusual, is handled in pieces as large
as they come, never line by line.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Final

# A header section without anything unusual, with its empty line.
_PLAIN_SECTION: Final = re.compile(
    rb"(?:[!-9;-~\x80-\xff]+[ \t]*:[^\r\n\0]*\r\n(?:[ \t]+[^\r\n\0 \t][^\r\n\0]*\r\n)*)+\r\n"
)
_BETWEEN_HEADERS: Final = re.compile(rb"(?<=\n)(?![ \t])")
_NAME: Final = re.compile(rb"[!-9;-~\x80-\xff]*[ \t]*:")  # Exim takes an empty name, too
_BLANK_END: Final = re.compile(rb"(?:\n[ \t]*)+\Z")
_LF_TO_SPACE: Final = bytes.maketrans(b"\r\n", b"\n ")

DEFAULT_HEADER_LIMIT: Final = 1024 * 1024  # bytes; Exim's header_maxsize


class TextFault(enum.Enum):
    """Why a text is read to its end but not kept."""

    HEADER_SIZE = "the header section is too long"
    HEADER_LINE_SIZE = "a header is too long"
    NOT_CRLF = "line ends are not CRLF where they have to be"


class MessageReader:
    """What DATA, BDAT and standard input have in common.

    `headers` is None until the header section is complete; then it is a list of headers, each with its folded lines
    and LF line ends. `take` gives the body, piece by piece. After a `fault` what follows is read and thrown away.
    """

    __slots__ = (
        "_body",
        "_header_limit",
        "_header_line_limit",
        "_last_line_length",
        "_lf_to_space",
        "_lines",
        "_open",
        "_open_size",
        "_partial",
        "_partial_size",
        "_section_size",
        "_with_lf",
        "body_lines",
        "body_size",
        "body_zeros",
        "fault",
        "from_line",
        "headers",
        "is_complete",
        "is_from_line",
        "longest_line",
        "separator_size",
    )

    def __init__(self, header_limit: int = DEFAULT_HEADER_LIMIT, header_line_limit: int = 0) -> None:
        """`header_limit` bounds the header section and `header_line_limit` each header in it; bytes, 0: no limit."""
        self.headers: list[bytes] | None = None
        self.is_complete = False
        self.fault: TextFault | None = None
        self.is_from_line: Callable[[bytes], object] | None = None  # tells a mailbox's "From " line, which is left out
        self.from_line = b""  # that line, if the text began with one
        self.body_size = 0  # of what `take` has given or will give; LF line ends
        self.body_lines = 0
        self.body_zeros = 0  # NULs
        self.separator_size = 2  # octets between headers and body: CRLF, or 1 if that is missing, or 0 at the end
        self.longest_line = 0  # without its line end; headers count
        self._header_limit = header_limit or DEFAULT_HEADER_LIMIT
        self._header_line_limit = header_line_limit
        self._lf_to_space = False  # what a bare LF in the body becomes: a space, or a newline
        self._with_lf = False  # lines end with LF
        self._lines: list[bytes] = []  # headers so far, while the section is not complete
        self._open: list[bytes] = []  # lines of the last header, which may go on
        self._open_size = 0
        self._partial: list[bytes] = []  # a header line whose end has not come yet
        self._partial_size = 0
        self._section_size = 0
        self._body: list[bytes] = []
        self._last_line_length = 0  # of the body's line that goes on in the next piece

    @property
    def too_long(self) -> str:
        """ "header" or "header line" if that is the fault, else ""."""
        match self.fault:
            case TextFault.HEADER_SIZE:
                return "header"
            case TextFault.HEADER_LINE_SIZE:
                return "header line"
        return ""

    def take(self) -> bytes:
        """The part of the body that has come since the last time; b"" if none has."""
        body = self._body
        if len(body) == 1:
            return body.pop()
        text = b"".join(body)
        body.clear()
        return text

    # Text with line ends as they came; a CRLF is never cut in two.

    def _add(self, text: bytes) -> None:
        if self.headers is not None:
            self._add_body(text)
        elif not (self._section_size or self._partial) and (plain := _PLAIN_SECTION.match(text)):
            end = plain.end()
            self._section_size = end
            self._end_headers(_BETWEEN_HEADERS.split(text[: end - 2].replace(b"\r\n", b"\n"))[:-1])
            self._add_body(text[end:])
        else:
            self._add_header_lines(text)

    def _add_header_lines(self, text: bytes) -> None:
        end_of_line = b"\n" if self._with_lf else b"\r\n"
        position = 0
        while (end := text.find(end_of_line, position)) >= 0:
            line = text[position:end]
            if self._partial:
                self._partial.append(line)
                line = b"".join(self._partial)
                self._partial.clear()
                self._partial_size = 0
            if self._with_lf and line.endswith(b"\r"):
                line = line[:-1]
            position = end + len(end_of_line)
            if not self._add_header_line(line):
                self._end_headers(self._closed_headers())
                self._add_body(text[position:])
                return
        if position < len(text):
            self._section_size += len(text) - position
            self._partial.append(text[position:])
            self._partial_size += len(text) - position
            self._check_limits()

    def _add_header_line(self, line: bytes) -> bool:
        """Take one line; False if the header section is over. A line that cannot be in one begins the body."""
        first = line[:1]
        if not first:
            return False
        self._section_size += len(line) + 1
        if not self._open and not self.from_line and self.is_from_line is not None and self.is_from_line(line):
            self.from_line = line
        elif first in b" \t" and self._open:
            self._go_on(_harmless(line) + b"\n")
        elif _NAME.match(line):
            self._close_header()
            self._go_on(_harmless(line) + b"\n")
        else:
            self.separator_size = 1
            self._keep(_folded(b" " + line[1:] if first == b"\n" else line) + b"\n")
            return False
        self._check_limits()
        return True

    def _go_on(self, line: bytes) -> None:
        """A line of the last header."""
        self._open.append(line)
        self._open_size += len(line)

    def _close_header(self) -> None:
        """The last header has no more lines."""
        if self._open:
            self._lines.append(b"".join(self._open))
            self._open.clear()
            self._open_size = 0

    def _closed_headers(self) -> list[bytes]:
        """All headers, with nothing but one line end at the end of each."""
        self._close_header()
        return [_BLANK_END.sub(b"\n", one) for one in self._lines]

    def _end_headers(self, headers: list[bytes]) -> None:
        limit = self._header_line_limit
        self._check_limits()
        if limit and self.fault is None and any(len(one) > limit for one in headers):
            self._fail(TextFault.HEADER_LINE_SIZE)
        if self.fault is not None:
            return
        self.headers = headers
        self._lines = []
        if headers:
            longest = max(map(len, b"".join(headers).split(b"\n")))
            if longest > self.longest_line:
                self.longest_line = longest

    def _check_limits(self) -> None:
        limit = self._header_line_limit
        if self._section_size > self._header_limit:
            self._fail(TextFault.HEADER_SIZE)
        elif limit and max(self._partial_size, self._open_size) > limit:
            self._fail(TextFault.HEADER_LINE_SIZE)

    def _fail(self, fault: TextFault) -> None:
        """From now on, nothing is kept."""
        self.fault = fault
        self.headers = []
        self._lines = []
        self._open.clear()
        self._partial.clear()
        self._open_size = self._partial_size = 0
        self._body.clear()

    def _add_body(self, text: bytes) -> None:
        if not text or self.fault is not None:
            return
        ended = text.replace(b"\r\n", b"\n")
        if self._lf_to_space:
            if b"\r" in ended or ended.count(b"\n") != len(text) - len(ended):
                ended = b"\n".join([line.translate(_LF_TO_SPACE) for line in text.split(b"\r\n")])
        elif b"\r" in ended:
            ended = ended.replace(b"\r", b"\n")
        self._keep(ended)

    def _keep(self, text: bytes) -> None:
        self._body.append(text)
        lengths = [len(line) for line in text.split(b"\n")]
        lengths[0] += self._last_line_length
        self._last_line_length = lengths[-1]
        longest = max(lengths)
        if longest > self.longest_line:
            self.longest_line = longest
        self.body_lines += len(lengths) - 1
        self.body_size += len(text)
        if b"\0" in text:
            self.body_zeros += text.count(b"\0")

    def _finish(self) -> None:
        """No more text comes. What is not empty ends with a newline."""
        self.is_complete = True
        if self.headers is None:
            line = b"".join(self._partial)
            self._partial.clear()
            self._partial_size = 0
            if line:
                self._add_header_line(line)
            if self.separator_size == 2:
                self.separator_size = 0
            self._end_headers(self._closed_headers())
        if self._last_line_length and self.fault is None:
            self._keep(b"\n")


def _harmless(line: bytes) -> bytes:
    """A header line in which what looks like a line end has become a folded line, and NUL a question mark."""
    return _folded(line).replace(b"\0", b"?")


def _folded(line: bytes) -> bytes:
    """A header line in which what looks like a line end has become a folded line."""
    if b"\r" in line or b"\n" in line:
        return line.replace(b"\r", b"\n").replace(b"\n", b"\n ")
    return line

"""The text of a message after DATA: where it ends, and its dots.

Only ``CRLF . CRLF`` ends a message, so that nothing inside one is ever taken for the next (SMTP smuggling,
CVE-2023-51766); where LF ends lines (see `eximious.smtp.message_text`), ``LF . LF`` does, too. A dot at the beginning
of a line goes away; one after a bare CR is an ordinary dot.
"""

from __future__ import annotations

import re
from typing import Final

from eximious.smtp.message_text import DEFAULT_HEADER_LIMIT, MessageReader, TextFault

_LF_END: Final = re.compile(rb"\n\.\r?\n")
_LF_UNDECIDED: Final = re.compile(rb"(?:\r?\n(?:\.\r?)?|\r)\Z")


class DataReader(MessageReader):
    """The text after DATA, up to the dot on a line by itself; `rest` is what came after that.

    ::

        reader = DataReader()
        while not reader.is_complete:
            reader.feed(stream.read())
            body.append(reader.take())
    """

    __slots__ = ("_held", "_imagined", "_is_first", "rest")

    def __init__(self, header_limit: int = DEFAULT_HEADER_LIMIT, header_line_limit: int = 0) -> None:
        super().__init__(header_limit, header_line_limit)
        self.rest = b""
        self._held = b""  # text that cannot be judged before more comes
        self._is_first = True  # no line end has been seen yet
        self._imagined = 0  # length of the line end that we imagine before the first line, until it has gone by

    @property
    def wants_more(self) -> bool:
        """The end of the text has not come yet."""
        return not self.is_complete

    def feed(self, data: bytes) -> None:
        """Take what has arrived. After the end of the message it goes to `rest`."""
        if self.is_complete:
            self.rest += data
            return
        if self._held:
            data = self._held + data
            self._held = b""
        if self._is_first:
            line_end = data.find(b"\n")
            if line_end < 0 and len(data) <= self._header_limit:
                self._held = data
                return
            self._is_first = False
            self._with_lf = line_end >= 0 and data[line_end - 1 : line_end] != b"\r"
            self._lf_to_space = not self._with_lf
            data = (b"\n" if self._with_lf else b"\r\n") + data
            self._imagined = 1 if self._with_lf else 2
        if self._with_lf:
            self._feed_lf(data)
        else:
            self._feed_crlf(data)

    def _feed_crlf(self, data: bytes) -> None:
        end = data.find(b"\r\n.\r\n")
        if end >= 0:
            self._add_unstuffed(data[: end + 2].replace(b"\r\n.", b"\r\n"))
            self.rest = data[end + 5 :]
            self._finish()
            return
        keep = len(data) - _undecided(data)
        self._held = data[keep:]
        self._add_unstuffed(data[:keep].replace(b"\r\n.", b"\r\n"))

    def _feed_lf(self, data: bytes) -> None:
        end = _LF_END.search(data)
        if end is not None:
            self._add_unstuffed(data[: end.start() + 1].replace(b"\n.", b"\n"))
            self.rest = data[end.end() :]
            self._finish()
            return
        undecided = _LF_UNDECIDED.search(data, max(0, len(data) - 4))
        keep = undecided.start() if undecided is not None else len(data)
        self._held = data[keep:]
        self._add_unstuffed(data[:keep].replace(b"\n.", b"\n"))

    def _add_unstuffed(self, text: bytes) -> None:
        if self._imagined and text:
            text = text[self._imagined :]
            self._imagined = 0
        if text:
            self._add(text)


def _undecided(data: bytes) -> int:
    """How many octets at the end may belong to ``CRLF . CRLF``."""
    last = data[-1:]
    if last == b"\n":
        return 2 if data.endswith(b"\r\n") else 0
    if last == b"\r":
        return 4 if data.endswith(b"\r\n.\r") else 1
    return 3 if data.endswith(b"\r\n.") else 0


class PlainReader(MessageReader):
    """Text that no SMTP client sent: standard input, up to its end or (`dot_ends`) a dot on a line by itself.

    Dots are otherwise left alone. Call `finish` at the end of the input. `rest` is what came after the dot.
    """

    __slots__ = ("_dot_ends", "_held", "_is_first", "rest")

    def __init__(
        self, header_limit: int = DEFAULT_HEADER_LIMIT, header_line_limit: int = 0, *, dot_ends: bool = True
    ) -> None:
        super().__init__(header_limit, header_line_limit)
        self.rest = b""
        self._dot_ends = dot_ends
        self._held = b"\n"  # an imagined line end, at first
        self._is_first = True

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        if self.is_complete:
            self.rest += data
            return
        data = self._held + data
        if self._is_first:
            line_end = data.find(b"\n", 1)
            if line_end < 0 and len(data) <= self._header_limit:
                self._held = data
                return
            self._with_lf = data[line_end - 1 : line_end] != b"\r"
        end = _LF_END.search(data) if self._dot_ends else None
        if end is not None:
            self.rest = data[end.end() :]
            self._pass(data[: end.start() + 1])
            self._finish()
            return
        undecided = _LF_UNDECIDED.search(data, max(0, len(data) - 4))
        keep = undecided.start() if undecided is not None else len(data)
        self._held = data[keep:]
        self._pass(data[:keep])

    def finish(self) -> None:
        """The input has ended."""
        if not self.is_complete:
            self._pass(self._held)
            self._finish()

    def _pass(self, text: bytes) -> None:
        if self._is_first and text:
            text = text[1:]
            self._is_first = False
        if text:
            self._add(text)


class ChunkReader(MessageReader):
    """The text that BDAT brings in chunks (RFC 3030): any octets; `rest` is what came after the chunk.

    ::

        reader.begin_chunk(size, is_last=False)
        while not reader.is_chunk_complete:
            reader.feed(stream.read())
    """

    __slots__ = ("_held", "_is_first", "_is_last", "_missing", "chunk_size", "rest", "size")

    def __init__(self, header_limit: int = DEFAULT_HEADER_LIMIT, header_line_limit: int = 0) -> None:
        super().__init__(header_limit, header_line_limit)
        self.rest = b""
        self.size = 0  # of all chunks so far
        self.chunk_size = 0
        self._missing = 0
        self._is_last = False
        self._held = b""
        self._is_first = True

    @property
    def is_chunk_complete(self) -> bool:
        """All octets of the chunk have come."""
        return self._missing == 0

    @property
    def wants_more(self) -> bool:
        """The chunk's end has not come yet."""
        return self._missing > 0

    @property
    def counted_size(self) -> int:
        """The size of the text as Exim counts it for its answer: with CRLF at the end of every line, and half of one
        where the empty line after the headers is missing."""
        headers = b"".join(self.headers or ())
        lines = headers.count(b"\n") + self.body_lines
        return len(headers) + lines + self.body_size + self.separator_size

    def begin_chunk(self, size: int, *, is_last: bool) -> None:
        """A chunk of so many octets follows."""
        self.chunk_size = self._missing = size
        self.size += size
        self._is_last = is_last
        if not size:
            self._end_chunk()

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        missing = self._missing
        if len(data) > missing:
            self.rest += data[missing:]
            data = data[:missing]
        self._missing -= len(data)
        self._add_raw(data)
        if not self._missing and data:
            self._end_chunk()

    def _add_raw(self, data: bytes) -> None:
        data = self._held + data
        if self._is_first:
            line_end = data.find(b"\n")
            if line_end < 0 and len(data) <= self._header_limit:
                self._held = data
                return
            self._is_first = False
            if data[line_end - 1 : line_end] != b"\r":
                self._fail(TextFault.NOT_CRLF if line_end >= 0 else TextFault.HEADER_SIZE)
                self.headers = [data[: line_end + 1]]  # for the log
        self._held = b""
        if data.endswith(b"\r"):
            self._held = b"\r"
            data = data[:-1]
        if data:
            self._add(data)

    def _end_chunk(self) -> None:
        if self._is_last:
            held, self._held = self._held, b""
            if held:
                self._add(held)
            self._finish()

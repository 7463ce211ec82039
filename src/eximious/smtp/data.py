"""The text of a message as it comes in after DATA: where it ends, its dots, its line ends, its header section.

Only ``CRLF . CRLF`` ends a message, so that nothing inside one is ever taken for the next (SMTP smuggling,
CVE-2023-51766). A message whose very first line ends with a bare LF (people who type, programs on this machine) is
read with LF line ends throughout; there CRLF counts as LF. What else looks like a line end is made harmless, as Exim
does it:

==============  ========================  ============================================
what came       in the header section     in the body
==============  ========================  ============================================
bare CR         newline and a space       newline; a dot after it is an ordinary dot
bare LF         newline and a space       space (a newline, where LF ends lines)
NUL             ``?``                     kept
==============  ========================  ============================================

The common case, a message without such things, is handled in pieces as large as they come, never line by line.
"""

from __future__ import annotations

import re
from typing import Final

# A header section without anything unusual, with its empty line.
_PLAIN_SECTION: Final = re.compile(
    rb"(?:[!-9;-~\x80-\xff]+[ \t]*:[^\r\n\0]*\r\n(?:[ \t]+[^\r\n\0 \t][^\r\n\0]*\r\n)*)+\r\n"
)
_BETWEEN_HEADERS: Final = re.compile(rb"(?<=\n)(?![ \t])")
_NAME: Final = re.compile(rb"[!-9;-~\x80-\xff]*[ \t]*:")  # Exim takes an empty name, too
_LF_END: Final = re.compile(rb"\n\.\r?\n")
_LF_UNDECIDED: Final = re.compile(rb"(?:\r?\n(?:\.\r?)?|\r)\Z")
_BLANK_END: Final = re.compile(rb"(?:\n[ \t]*)+\Z")
_BODY_WITH_CRLF: Final = bytes.maketrans(b"\r\n", b"\n ")
_BODY_WITH_LF: Final = bytes.maketrans(b"\r", b"\n")

DEFAULT_HEADER_LIMIT: Final = 1024 * 1024  # bytes; Exim's header_maxsize


class MessageReader:
    """What DATA, BDAT and standard input have in common: text with its line ends as they came is taken apart.

    `headers` is None until the header section is complete; then it is a list of headers, each with its folded lines
    and LF line ends. `take` gives the body, piece by piece. `too_long` says that the header section ("header"), or
    one header in it ("header line"), went over its limit: what follows is read and thrown away.
    """

    __slots__ = (
        "_body",
        "_header_limit",
        "_header_line_limit",
        "_last_line_length",
        "_lines",
        "_partial",
        "_section_size",
        "_with_lf",
        "body_lines",
        "body_size",
        "body_zeros",
        "headers",
        "is_complete",
        "longest_line",
        "too_long",
    )

    def __init__(self, header_limit: int = DEFAULT_HEADER_LIMIT, header_line_limit: int = 0) -> None:
        """`header_limit` bounds the header section and `header_line_limit` each header in it; bytes, 0: no limit."""
        self.headers: list[bytes] | None = None
        self.is_complete = False
        self.too_long = ""
        self.body_size = 0  # of what `take` has given or will give; LF line ends
        self.body_lines = 0
        self.body_zeros = 0  # NULs
        self.longest_line = 0  # without its line end; headers count
        self._header_limit = header_limit or DEFAULT_HEADER_LIMIT
        self._header_line_limit = header_line_limit
        self._lines: list[bytes] = []  # headers so far, while the section is not complete
        self._partial = b""  # a header line whose end has not come yet
        self._section_size = 0
        self._with_lf = False
        self._body: list[bytes] = []
        self._last_line_length = 0  # of the body's line that goes on in the next piece

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
        elif not self._lines and not self._partial and not self._with_lf and (plain := _PLAIN_SECTION.match(text)):
            end = plain.end()
            self._end_headers(_BETWEEN_HEADERS.split(text[: end - 2].replace(b"\r\n", b"\n"))[:-1])
            self._section_size = end
            self._check_limits()
            self._add_body(text[end:])
        elif text:
            self._add_header_lines(self._partial + text)

    def _add_header_lines(self, text: bytes) -> None:
        end_of_line = b"\n" if self._with_lf else b"\r\n"
        position = 0
        while True:
            end = text.find(end_of_line, position)
            if end < 0:
                self._partial = text[position:]
                self._check_limits()
                return
            after = end + len(end_of_line)
            self._section_size += after - position
            line = text[position:end]
            if self._with_lf and line.endswith(b"\r"):
                line = line[:-1]
            if not self._add_header_line(line):
                self._partial = b""
                self._finish_headers()
                self._add_body(text[after:])
                return
            position = after

    def _add_header_line(self, line: bytes) -> bool:
        """Take one line; False if the header section is over. A line that cannot be in one begins the body."""
        first = line[:1]
        if not first:
            return False
        lines = self._lines
        if first in b" \t" and lines:
            lines[-1] += _harmless(line) + b"\n"
        elif _NAME.match(line):
            lines.append(_harmless(line) + b"\n")
        else:
            self._body.append((b" " + line[1:] if first == b"\n" else _harmless(line)) + b"\n")
            self._count(self._body[-1])
            return False
        return True

    def _finish_headers(self) -> None:
        self._end_headers([_BLANK_END.sub(b"\n", line) for line in self._lines])
        self._lines = []
        self._check_limits()

    def _end_headers(self, headers: list[bytes]) -> None:
        self.headers = headers
        if headers:
            longest = max(map(len, b"".join(headers).split(b"\n")))
            if longest > self.longest_line:
                self.longest_line = longest

    def _check_limits(self) -> None:
        """Notice what goes over a limit; then nothing more is kept."""
        if self.too_long:
            self._lines.clear()
            self._partial = b""
            return
        limit = self._header_line_limit
        if self._section_size + len(self._partial) > self._header_limit:
            self.too_long = "header"
        elif limit and (
            len(self._partial) > limit or any(len(header) > limit for header in self.headers or self._lines)
        ):
            self.too_long = "header line"
        if self.too_long:
            self._lines.clear()
            self._partial = b""
            self.headers = []

    def _add_body(self, text: bytes) -> None:
        if not text or self.too_long:
            return
        ended = text.replace(b"\r\n", b"\n")
        if self._with_lf:
            if b"\r" in ended:
                ended = ended.translate(_BODY_WITH_LF)
        elif b"\r" in ended or ended.count(b"\n") != len(text) - len(ended):
            ended = b"\n".join([line.translate(_BODY_WITH_CRLF) for line in text.split(b"\r\n")])
        self._body.append(ended)
        self._count(ended)

    def _count(self, text: bytes) -> None:
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
        """No more text comes."""
        if self.headers is None:
            if self._partial:
                self._add_header_line(self._partial)
                self._partial = b""
            self._finish_headers()
        self.is_complete = True


def _harmless(line: bytes) -> bytes:
    """A header line in which what looks like a line end has become a folded line, and NUL a question mark."""
    if b"\r" in line or b"\n" in line:
        line = line.replace(b"\r", b"\n").replace(b"\n", b"\n ")
    return line.replace(b"\0", b"?")


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
        keep = len(data)
        if data[-1:] in b"\r\n.":
            for undecided in (b"\r\n", b"\r\n.", b"\r", b"\r\n.\r"):
                # The longest one counts: the last one ends with "\r" as well.
                if data.endswith(undecided):
                    keep = len(data) - len(undecided)
        self._held = data[keep:]
        self._add_unstuffed(data[:keep].replace(b"\r\n.", b"\r\n"))

    def _feed_lf(self, data: bytes) -> None:
        end = _LF_END.search(data)
        if end is not None:
            self._add_unstuffed(data[: end.start() + 1].replace(b"\n.", b"\n"))
            self.rest = data[end.end() :]
            self._finish()
            return
        undecided = _LF_UNDECIDED.search(data)
        keep = undecided.start() if undecided is not None else len(data)
        self._held = data[keep:]
        self._add_unstuffed(data[:keep].replace(b"\n.", b"\n"))

    def _add_unstuffed(self, text: bytes) -> None:
        if text:
            self._add(text[self._imagined :])
            self._imagined = 0

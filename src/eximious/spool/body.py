"""The body of a message: octets that arrive in pieces, held in memory up to a bound and in a file beyond it.

Lines end with LF. The file is the -D file to be: it begins with a line that holds its own name, for which room is left
until the message has an id.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Final

from eximious.spool.errors import SpoolError, spool_error
from eximious.spool.message_id import LENGTH

NAME_LINE: Final = LENGTH + len("-D\n")  # octets before the body in a -D file whose id has 23 characters
MEMORY_LIMIT: Final = 128 * 1024  # octets of one body that stay in memory
CHUNK: Final = 64 * 1024


class Body:
    """A body, while it is received and afterwards. `append` until it is complete, then read as often as need be.

    `spill` opens a new, empty file for a body that is too large for memory and gives its descriptor, which the body
    then owns; without it everything stays in memory.
    """

    __slots__ = (
        "_fd",
        "_parts",
        "_spill",
        "is_wire_format",
        "line_count",
        "memory_limit",
        "size",
        "start",
        "zero_count",
    )

    def __init__(self, spill: Callable[[], int] | None = None, memory_limit: int = MEMORY_LIMIT) -> None:
        self._spill = spill
        self._parts: list[bytes] = []
        self._fd = -1
        self.memory_limit = memory_limit
        self.size = 0
        self.line_count = 0
        self.zero_count = 0
        self.start = NAME_LINE  # where in the file the body begins
        self.is_wire_format = False  # the file has CRLF (Exim's spool_wireformat); reading gives LF all the same

    @classmethod
    def of(cls, data: bytes) -> Body:
        """A complete body in memory."""
        body = cls()
        body.append(data)
        return body

    @classmethod
    def from_file(cls, fd: int, start: int, is_wire_format: bool = False) -> Body:
        """The body in an open -D file, which it owns from now on. Lines are not counted: the -H file knows."""
        body = cls()
        body._fd = fd
        body.start = start
        body.is_wire_format = is_wire_format
        try:
            body.size = max(os.fstat(fd).st_size - start, 0)
        except OSError as error:
            raise spool_error("fstat", error) from error
        return body

    @property
    def in_memory(self) -> bool:
        """True if the body has no file."""
        return self._fd < 0

    def append(self, data: bytes) -> None:
        """Add octets at the end. Raises SpoolError if they do not fit into memory and cannot be written."""
        if not data:
            return
        if self._fd >= 0:
            self._write(data)
        else:
            self._parts.append(data)
            if self.size + len(data) > self.memory_limit and self._spill is not None:
                self._to_file(self._spill)
        self.size += len(data)
        self.line_count += data.count(b"\n")
        self.zero_count += data.count(b"\0")

    def _to_file(self, spill: Callable[[], int]) -> None:
        try:
            self._fd = spill()
        except OSError as error:
            raise spool_error("cannot open a spool file for the message body", error) from error
        self._write(b"\n".rjust(self.start, b"-"))
        parts, self._parts = self._parts, []
        self._write(b"".join(parts))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise spool_error("cannot write the message body", error) from error

    def data(self) -> bytes:
        """The whole body. For bodies that are known to be small."""
        if self._fd >= 0:
            return b"".join(self.chunks())
        if len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0] if self._parts else b""

    def chunks(self) -> Iterator[bytes]:
        """The body from its beginning, in pieces; line ends are LF."""
        if self._fd < 0:
            yield from list(self._parts)
        elif self.is_wire_format:
            yield from _with_lf(self._file_chunks())
        else:
            yield from self._file_chunks()

    def _file_chunks(self) -> Iterator[bytes]:
        position = self.start
        while chunk := self._pread(CHUNK, position):
            position += len(chunk)
            yield chunk

    def _pread(self, length: int, position: int) -> bytes:
        try:
            return os.pread(self._fd, length, position)
        except OSError as error:
            raise spool_error("cannot read the message body", error) from error

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` octets from `offset` on, as stored (in wire format, with CRLF)."""
        if self._fd >= 0:
            return self._pread(length, self.start + offset)
        return self.data()[offset : offset + length]

    def open_fd(self) -> int:
        """A new descriptor that reads the body (with LF) from its beginning; the caller closes it."""
        try:
            if self._fd >= 0 and not self.is_wire_format:
                fd = os.open(f"/proc/self/fd/{self._fd}", os.O_RDONLY | os.O_CLOEXEC)
                os.lseek(fd, self.start, os.SEEK_SET)
                return fd
            fd = os.memfd_create("body", os.MFD_CLOEXEC)
            for chunk in self.chunks():
                os.write(fd, chunk)
            os.lseek(fd, 0, os.SEEK_SET)
        except OSError as error:
            raise spool_error("cannot open the message body", error) from error
        return fd

    def file_descriptor(self) -> int:
        """The descriptor of the -D file; SpoolError if the body is in memory."""
        if self._fd < 0:
            raise SpoolError("the message body has no file")
        return self._fd

    def close(self) -> None:
        """Give the file back; a body that was never stored leaves nothing behind."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._parts = []
        self.size = 0


def _with_lf(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same octets with CRLF turned into LF, wherever the pieces are cut."""
    held = b""
    for chunk in chunks:
        chunk = held + chunk
        held = b""
        if chunk.endswith(b"\r"):
            held, chunk = b"\r", chunk[:-1]
        yield chunk.replace(b"\r\n", b"\n")
    if held:
        yield held

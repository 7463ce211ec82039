"""Messages as pairs of spool files: writing them so that they survive a crash, reading and locking them."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from typing import Final

from eximious.ownership import open_existing
from eximious.spool import header_file
from eximious.spool.body import NAME_LINE, Body
from eximious.spool.errors import SpoolError, SpoolFormatError, spool_error
from eximious.spool.layout import FILE_MODE, Layout, sync_folder, unlink
from eximious.spool.lock import try_lock
from eximious.spool.message import DELETED, Message

READ: Final = 1024 * 1024


def write_all(fd: int, data: bytes) -> None:
    """Write everything. OSError if that fails; a part may then have been written."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_file(path: str, limit: int) -> bytes:
    """The content of a file of at most `limit` octets. OSError, or SpoolFormatError if it is larger."""
    fd = open_existing(path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        if size > limit:
            raise SpoolFormatError("too large")
        parts = [os.read(fd, size + 1)]
        while parts[-1]:
            parts.append(os.read(fd, READ))
        return b"".join(parts)
    finally:
        os.close(fd)


def new_body_file(layout: Layout, queue_name: str = "") -> int:
    """An open file without a name, on the spool's file system, for a body that is too large for memory. OSError."""
    folder = f"{layout.queue(queue_name)}/input"
    layout.make_folder(folder)
    try:
        fd = os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        if error.errno not in _NO_NAMELESS_FILES:
            raise
        path = f"{folder}/eximious.{os.getpid()}.{time.monotonic_ns()}"
        fd = layout.create(path)
        os.unlink(path)
        return fd
    os.fchmod(fd, FILE_MODE)
    layout.own(fd)
    return fd


# What file systems say that do not know O_TMPFILE.
_NO_NAMELESS_FILES: Final = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)


class Pair:
    """The two files of a message that were just written: their directory, and the locked -D file."""

    __slots__ = ("fd", "folder", "message_id")

    def __init__(self, folder: str, message_id: str, fd: int) -> None:
        self.folder = folder
        self.message_id = message_id
        self.fd = fd

    def unlock(self) -> None:
        """From now on others may work on the message."""
        os.close(self.fd)

    def remove(self) -> None:
        """Remove the files again. OSError is nobody's business: whatever failed before is."""
        for suffix in ("-H", "-D"):
            with contextlib.suppress(OSError):
                os.unlink(f"{self.folder}/{self.message_id}{suffix}")
        os.close(self.fd)


def write_pair(layout: Layout, message_id: str, queue_name: str, body: Body, header: bytes, sync: bool = True) -> Pair:
    """Write the -D and the -H file of a message. Raises SpoolError and leaves nothing behind.

    With `sync` they are durable afterwards; without it, the files are, and their names need `sync_folder` still.
    """
    folder = layout.folder("input", message_id, queue_name)
    data_path = f"{folder}/{message_id}-D"
    try:
        fd = _write_data(layout, data_path, message_id, body)
    except OSError as error:
        raise spool_error(f"cannot write {data_path}", error) from error
    pair = Pair(folder, message_id, fd)
    try:
        write_header(layout, folder, message_id, header, sync)
    except SpoolError:
        pair.remove()
        raise
    return pair


def _write_data(layout: Layout, path: str, message_id: str, body: Body) -> int:
    name_line = f"{message_id}-D\n".encode("ascii")
    if not body.in_memory and body.start == len(name_line) and os.fstat(body.file_descriptor()).st_nlink == 0:
        fd = body.file_descriptor()
        os.pwrite(fd, name_line, 0)
        os.fdatasync(fd)
        layout.make_folder(os.path.dirname(path))
        try_lock(fd, NAME_LINE)
        if _link(fd, path):
            return os.dup(fd)
    fd = layout.create(path)
    try:
        try_lock(fd, NAME_LINE)  # as Exim does while it receives
        write_all(fd, name_line)
        for chunk in body.chunks():
            write_all(fd, chunk)
        os.fdatasync(fd)
    except (OSError, SpoolError):
        os.unlink(path)
        os.close(fd)
        raise
    return fd


def _link(fd: int, path: str) -> bool:
    """Give an open file without a name one. False where the system cannot (no /proc, an odd file system)."""
    try:
        descriptors = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.link(str(fd), path, src_dir_fd=descriptors)
    except FileExistsError:
        raise
    except OSError:
        return False
    finally:
        os.close(descriptors)
    return True


def write_header(layout: Layout, folder: str, message_id: str, header: bytes, sync: bool = True) -> None:
    """Write or replace a -H file in one step. Raises SpoolError; the old file, if any, is then as it was."""
    path = f"{folder}/{message_id}-H"
    temporary = f"{folder}/hdr.{message_id}"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # of a process that died
        fd = layout.create(temporary)
        try:
            write_all(fd, header)
            os.fdatasync(fd)
        finally:
            os.close(fd)
        os.rename(temporary, path)
        if sync:
            sync_folder(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise spool_error(f"cannot write {path}", error) from error


def open_locked(layout: Layout, message_id: str, queue_name: str = "") -> tuple[str, int] | None:
    """The directory and the locked -D file of a message; None if there is none or somebody else has it."""
    path = layout.find(message_id, "-D", queue_name)
    if path is None:
        return None
    try:
        fd = open_existing(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise spool_error(f"cannot open {path}", error) from error
    if not try_lock(fd, len(message_id) + 3) or os.fstat(fd).st_nlink == 0:
        os.close(fd)
        return None
    return os.path.dirname(path), fd


def read_message(path: str, message_id: str, queue_name: str) -> Message:
    """The message in a -H file, without its body. FileNotFoundError; SpoolFormatError; SpoolError."""
    try:
        message = header_file.load(read_file(path, header_file.MAX_SIZE), message_id)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise spool_error(f"cannot read {path}", error) from error
    message.queue_name = queue_name
    return message


def attach_body(message: Message, body: Body) -> None:
    """Let a message that was read from a -H file have its body, and the sizes that follow from both."""
    message.body = body
    message.body_size = body.size
    if body.is_wire_format:  # the -H file then has no count of lines
        message.body_line_count = sum(chunk.count(b"\n") for chunk in body.chunks())
    measure(message)


def measure(message: Message) -> None:
    """Set size and number of lines of the message as Exim counts them: headers, the empty line, body."""
    live = [header.text for header in message.headers if header.kind != DELETED]
    message.size = sum(map(len, live)) + 1 + message.body_size
    message.line_count = sum(text.count("\n") for text in live) + message.body_line_count


def read_journal(folder: str, message_id: str) -> set[str]:
    """Addresses in the -J file: done with in a delivery that did not end properly. A line that was cut is ignored."""
    path = f"{folder}/{message_id}-J"
    try:
        data = read_file(path, header_file.MAX_SIZE)
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise spool_error(f"cannot read {path}", error) from error
    return set(data.decode("latin-1").split("\n")[:-1])


def remove_files(folder: str, message_id: str) -> None:
    """Remove the files of a finished message: -H first, for without it the others are no message."""
    for suffix in ("-H", "-J", "-D"):
        unlink(f"{folder}/{message_id}{suffix}")

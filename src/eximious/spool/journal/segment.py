"""One file of the journal. A process writes to its own segments only, and holds a lock on each while it lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import Final

from eximious.ownership import open_existing
from eximious.spool.journal.record import MAGIC, START, key_checksum, new_key
from eximious.spool.layout import Layout, sync_folder

FOLDER: Final = "journal"
SUFFIX: Final = ".segment"
MOST_PIECES: Final = 1000  # for one system call; the system allows 1024


class Segment:
    """A segment that this process writes. Nothing happens on disk before the first `append`.

    `live` and `submitted` belong to the thread that accepts messages, the rest to the one that commits.
    """

    __slots__ = ("_fd", "_layout", "end", "is_broken", "key", "live", "owed", "path", "seed", "submitted")

    def __init__(self, layout: Layout, name: str) -> None:
        self._layout = layout
        self._fd = -1
        self.path = f"{layout.directory}/{FOLDER}/{name}{SUFFIX}"
        self.key = new_key()
        self.seed = key_checksum(self.key)
        self.live = 0  # messages in it that are not done with
        self.submitted = 0  # octets that are to be written to it
        self.end = 0  # octets that were written for good
        self.owed: list[bytes] = []  # records that say what is done, and could not be written yet
        self.is_broken = False  # a sync failed: nothing may be added

    def append(self, pieces: list[bytes], sync: bool) -> None:
        """Write at the end, and wait for the disk if `sync`. OSError; the segment is then as it was."""
        if self._fd < 0:
            self._create()
        written = 0
        try:
            written = self._write([*self.owed, *pieces])
            if sync:
                os.fdatasync(self._fd)
        except OSError:
            self._roll_back()
            raise
        self.owed.clear()
        self.end += written

    def _write(self, pieces: list[bytes]) -> int:
        position = self.end
        for first in range(0, len(pieces), MOST_PIECES):
            group = pieces[first : first + MOST_PIECES]
            total = sum(map(len, group))
            written = os.pwritev(self._fd, group, position)
            if written < total:
                rest = memoryview(b"".join(group))[written:]
                while rest:  # a full disk; the next attempt raises
                    done = os.pwrite(self._fd, rest, position + written)
                    written += done
                    rest = rest[done:]
            position += total
        return position - self.end

    def _roll_back(self) -> None:
        try:
            os.ftruncate(self._fd, self.end)
            os.fdatasync(self._fd)
        except OSError:
            self.is_broken = True  # what the disk now holds beyond the end was never acknowledged

    def _create(self) -> None:
        folder = os.path.dirname(self.path)
        self._layout.make_folder(folder)
        fd = self._layout.create(self.path)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            os.pwrite(fd, MAGIC + self.key, 0)
            os.fdatasync(fd)
            sync_folder(folder)
        except OSError:
            os.close(fd)
            with contextlib.suppress(OSError):
                os.unlink(self.path)
            raise
        self._fd = fd
        self.end = START

    def empty(self) -> None:
        """Forget all records: everything in it is done with."""
        if self._fd >= 0 and self.end > START:
            os.ftruncate(self._fd, START)
            self.end = START
            self.owed.clear()

    def remove(self) -> None:
        """Everything in it is done with: remove the file."""
        if self._fd >= 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            os.close(self._fd)
            self._fd = -1

    def abandon(self) -> None:
        """Close the file and leave it, for the next start to recover."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class DeadSegment:
    """A segment whose process has died, locked by us: to be read, and removed when its messages are elsewhere."""

    __slots__ = ("fd", "path")

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd

    def read(self) -> bytes:
        """The whole segment. OSError."""
        size = os.fstat(self.fd).st_size
        parts: list[bytes] = []
        position = 0
        while position < size and (part := os.pread(self.fd, size - position, position)):
            parts.append(part)
            position += len(part)
        return b"".join(parts)

    def append(self, record: bytes) -> None:
        """Add a record at the end, durably. OSError."""
        os.pwrite(self.fd, record, os.fstat(self.fd).st_size)
        os.fdatasync(self.fd)

    def remove(self) -> None:
        """Remove the file and unlock."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.close()

    def close(self) -> None:
        """Unlock and leave it."""
        os.close(self.fd)


def dead_segments(layout: Layout) -> list[DeadSegment]:
    """All segments that no living process holds, locked, in the order of their names. OSError."""
    folder = f"{layout.directory}/{FOLDER}"
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(SUFFIX))
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        path = f"{folder}/{name}"
        try:
            fd = open_existing(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            continue
        if os.fstat(fd).st_nlink == 0:
            os.close(fd)
            continue
        found.append(DeadSegment(path, fd))
    return found

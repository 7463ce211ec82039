"""One log file: opened when first needed, and again when somebody has moved it away."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from eximious import ownership

FILE_MODE: Final = 0o640
DIRECTORY_MODE: Final = 0o750
LOOK_AGAIN: Final = 0.5  # seconds; a file that was moved away (exicyclog) may get lines for so long

_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY


class LogFile:
    """A file that lines are appended to. `uid` and `gid` own what a privileged process makes (-1: leave as it is)."""

    __slots__ = ("_clock", "_device", "_fd", "_gid", "_inode", "_looked_at", "_uid", "path")

    def __init__(self, path: str, uid: int = -1, gid: int = -1, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._looked_at = 0.0
        self._uid = uid
        self._gid = gid
        self._fd = -1
        self._device = 0
        self._inode = 0

    def write(self, data: bytes) -> None:
        """Append whole lines with one system call. OSError if that fails."""
        if self._fd >= 0 and self._has_moved():
            self.close()
        if self._fd < 0:
            self._open()
        written = os.write(self._fd, data)
        while written < len(data):  # a full disk; the next attempt raises
            written += os.write(self._fd, data[written:])

    def _has_moved(self) -> bool:
        now = self._clock()
        if now - self._looked_at < LOOK_AGAIN:
            return False
        self._looked_at = now
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return True
        return found.st_ino != self._inode or found.st_dev != self._device

    def _open(self) -> None:
        try:
            fd = self._open_existing()
        except FileNotFoundError:
            fd = self._create()
        found = os.fstat(fd)
        self._fd, self._device, self._inode = fd, found.st_dev, found.st_ino
        self._looked_at = self._clock()

    def _open_existing(self) -> int:
        if os.geteuid() != 0:
            return os.open(self.path, _FLAGS)
        # The directory belongs to a less privileged user, who must not lead us to other files through links.
        return ownership.open_existing(self.path, _FLAGS)

    def _create(self) -> int:
        make_directory(os.path.dirname(self.path), self._uid, self._gid)
        try:
            fd = os.open(self.path, _FLAGS | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
        except FileExistsError:  # another process was faster
            return self._open_existing()
        os.fchmod(fd, FILE_MODE)
        if self._uid >= 0 and os.geteuid() == 0:
            os.fchown(fd, self._uid, self._gid)
        return fd

    def close(self) -> None:
        """Close the file; the next write opens it again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def make_directory(path: str, uid: int, gid: int) -> None:
    """Make the directory of a log, and those above it, if they do not exist. OSError."""
    if os.path.isdir(path):
        return
    make_directory(os.path.dirname(path), uid, gid)
    try:
        ownership.make_folder(path, DIRECTORY_MODE, uid, gid)
    except FileExistsError:
        return

"""Files that lookups read: opened with care, kept in memory, noticed when they change."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Any, Final, TypeVar

from eximious.errors import ExpandError
from eximious.waiting import in_thread, on_loop

T = TypeVar("T")

LARGEST_CACHE: Final = 256 * 1024 * 1024  # octets of files whose parsed form is kept
MOST_FILES: Final = 1024
LARGE: Final = 4 * 1024 * 1024  # octets of a file that is read while others go on

Identity = tuple[int, int, int, int]  # device, inode, size and time of change in nanoseconds


class FileCache:
    """What was read from files, by path and by who reads it; the least recently used go first."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], tuple[Identity, int, Any]] = {}
        self._size = 0

    def get(self, path: str, kind: str, purpose: str, read: Callable[[int, os.stat_result], tuple[T, int]]) -> T:
        """What `read(fd, status)` made of the file, at its present state.

        `read` gives its result and the memory that takes, in octets. `kind` is the lookup type and `purpose` Exim's
        words for how it is opened; both appear in errors. Raises ExpandError if the file cannot be used.
        """
        try:
            status = os.stat(path.encode("latin-1"))
        except (OSError, ValueError) as error:
            raise ExpandError(f"failed to open {path} {purpose}: {reason(error)}") from None
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        key = (path, kind)
        entry = self._entries.pop(key, None)
        if entry is not None:
            if entry[0] == identity:
                self._entries[key] = entry
                return entry[2]  # type: ignore[no-any-return]
            self._size -= entry[1]
        if status.st_size > LARGE and on_loop():
            made, size = in_thread(self._read, path, kind, purpose, read)
            if key in self._entries:  # somebody else was faster
                self._size -= self._entries.pop(key)[1]
        else:
            made, size = self._read(path, kind, purpose, read)
        self._entries[key] = (identity, size, made)
        self._size += size
        while len(self._entries) > 1 and (self._size > LARGEST_CACHE or len(self._entries) > MOST_FILES):
            oldest = next(iter(self._entries))
            self._size -= self._entries.pop(oldest)[1]
        return made

    def _read(
        self, path: str, kind: str, purpose: str, read: Callable[[int, os.stat_result], tuple[T, int]]
    ) -> tuple[T, int]:
        try:
            fd = os.open(path.encode("latin-1"), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            raise ExpandError(f"failed to open {path} {purpose}: {reason(error)}") from None
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise ExpandError(f"{path} is not a regular file ({kind} lookup)")
            return read(fd, status)
        except OSError as error:
            raise ExpandError(f"failed to read {path} {purpose}: {reason(error)}") from None
        finally:
            os.close(fd)


def reason(error: OSError | ValueError) -> str:
    """Why a file cannot be opened; where that is for want of permission, who we are."""
    if not isinstance(error, OSError) or not error.errno:
        return str(error)
    reason = os.strerror(error.errno)
    if error.errno == errno.EACCES:
        reason += f" (euid={os.geteuid()} egid={os.getegid()})"
    return reason

"""Files in the directories of a less privileged user, who must not lead a process with root's rights to other files.

The spool, the logs and the hints belong to the mail user, and some processes that work there are root's. So links are
not followed, what is opened is a plain file that has no second name elsewhere, and owners are changed through
descriptors (CVE-2020-28007, CVE-2020-28008).
"""

from __future__ import annotations

import os
import stat
from typing import Final

_SAFELY: Final = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


def open_existing(path: str, flags: int) -> int:
    """Open a regular file that is there. OSError; FileNotFoundError if there is none."""
    fd = os.open(path, flags | _SAFELY)
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode) and (found.st_nlink <= 1 or os.geteuid() != 0):
        return fd
    os.close(fd)
    raise OSError(1, "not a regular file with one name")


def make_folder(path: str, mode: int, uid: int = -1, gid: int = -1) -> None:
    """Make a directory in one that exists, with exactly this mode. FileExistsError; OSError.

    `uid` and `gid` get what a process with root's rights makes (-1: nobody else does).
    """
    parent, name = os.path.split(path.rstrip("/"))
    above = os.open(parent or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.mkdir(name, mode, dir_fd=above)
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=above)
    finally:
        os.close(above)
    try:
        os.fchmod(fd, mode)
        if uid >= 0 and os.geteuid() == 0:
            os.fchown(fd, uid, gid)
    finally:
        os.close(fd)


def give(path: str, uid: int, gid: int) -> None:
    """Give a file that this process has made to its owner, if it is root's. OSError.

    The file is not opened for reading: closing it would give up the locks that the process has on it.
    """
    if uid < 0 or os.geteuid() != 0:
        return
    fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(fd)
        if found.st_uid == 0 and stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:
            os.chown(f"/proc/self/fd/{fd}", uid, gid)
    finally:
        os.close(fd)

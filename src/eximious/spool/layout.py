"""Where things are in a spool directory: Exim's layout, its modes and its owner.

``input/`` holds the -H, -D and -J files, ``msglog/`` a log for each message; with `split_spool_directory` both have
sub-directories named after the sixth character of the id. Files are found whether or not the option is set now. A named
queue is a directory with the same things inside.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from eximious import ownership
from eximious.spool.errors import SpoolError, spool_error
from eximious.spool.message_id import DIGITS, is_message_id

FILE_MODE: Final = 0o640
DIRECTORY_MODE: Final = 0o750


class Layout:
    """The paths of one spool directory. `uid` and `gid` own what a privileged process makes (-1: leave as it is)."""

    __slots__ = ("directory", "gid", "is_split", "uid")

    def __init__(self, directory: str, is_split: bool = False, uid: int = -1, gid: int = -1) -> None:
        self.directory = directory
        self.is_split = is_split
        self.uid = uid
        self.gid = gid

    def queue(self, queue_name: str) -> str:
        """The directory of a queue; "" is the default one. SpoolError for a name that leads elsewhere."""
        if not queue_name:
            return self.directory
        if "/" in queue_name or "\0" in queue_name or queue_name in (".", ".."):
            raise SpoolError(f'bad queue name "{queue_name}"')
        return f"{self.directory}/{queue_name}"

    def folder(self, kind: str, message_id: str, queue_name: str = "") -> str:
        """The directory in which new files of this message belong; `kind` is ``input`` or ``msglog``."""
        folder = f"{self.queue(queue_name)}/{kind}"
        return f"{folder}/{message_id[5]}" if self.is_split else folder

    def folders(self, kind: str, message_id: str, queue_name: str = "") -> tuple[str, str]:
        """The directories in which files of this message may be: first the one in which they belong."""
        plain = f"{self.queue(queue_name)}/{kind}"
        split = f"{plain}/{message_id[5]}"
        return (split, plain) if self.is_split else (plain, split)

    def find(self, message_id: str, suffix: str, queue_name: str = "") -> str | None:
        """The path of an existing file of the message (``-H``, ``-D``, ``-J``), or None."""
        for folder in self.folders("input", message_id, queue_name):
            path = f"{folder}/{message_id}{suffix}"
            if os.path.exists(path):
                return path
        return None

    def ids(self, queue_name: str = "") -> Iterator[list[str]]:
        """The ids of all messages with a -H file: a list for each directory, in no order."""
        plain = f"{self.queue(queue_name)}/input"
        for folder in (plain, *(f"{plain}/{digit}" for digit in DIGITS)):
            try:
                names = os.listdir(folder)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise spool_error(f"failed to open directory {folder}", error) from error
            yield [name[:-2] for name in names if name.endswith("-H") and is_message_id(name[:-2])]

    def make_folder(self, path: str) -> None:
        """Make a directory below the spool, and those above it, if they do not exist."""
        if os.path.isdir(path):
            return
        parent = os.path.dirname(path)
        if path != self.directory and len(parent) >= len(self.directory):
            self.make_folder(parent)
        try:
            ownership.make_folder(path, DIRECTORY_MODE, self.uid, self.gid)
            sync_folder(parent)
        except FileExistsError:
            pass
        except OSError as error:
            raise spool_error(f"Failed to create directory {path}", error) from error

    def own(self, fd: int) -> None:
        """Give a new file to the spool's owner, if this process may and need do so."""
        if self.uid >= 0 and os.geteuid() == 0:
            os.fchown(fd, self.uid, self.gid)

    def create(self, path: str) -> int:
        """A new file for writing, with the spool's mode and owner. FileExistsError if it exists; OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(path, flags, FILE_MODE)
        except FileNotFoundError:
            self.make_folder(os.path.dirname(path))
            fd = os.open(path, flags, FILE_MODE)
        try:
            os.fchmod(fd, FILE_MODE)
            self.own(fd)
        except OSError:
            os.close(fd)
            os.unlink(path)
            raise
        return fd


def sync_folder(path: str) -> None:
    """Make the names in a directory durable. OSError if the file system cannot."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def unlink(path: str) -> None:
    """Remove a file if it is there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise spool_error(f"failed to unlink {path}", error) from error

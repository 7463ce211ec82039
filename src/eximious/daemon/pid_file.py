"""The file that says which process the daemon is."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.config.main import MainOptions


def path(main: MainOptions, given: str, *, is_listening: bool, is_overridden: bool) -> str:
    """Where to write it; "" for nowhere: with -oX, or for a daemon that does not listen, only -oP says so."""
    if given:
        return given
    if is_overridden or not is_listening:
        return ""
    return main.pid_file_path or f"{main.spool_directory}/exim-daemon.pid"


def write(path: str) -> None:
    """Write our process id, in place of whatever was there. OSError.

    The file appears complete, and a link that somebody put in its place is replaced, not followed (CVE-2020-28014).
    """
    with _opened_folder(path) as (folder, name):
        temporary = f"{name}.{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o644, dir_fd=folder)
        try:
            os.fchmod(descriptor, 0o644)
            os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        finally:
            os.close(descriptor)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


def remove(path: str, process: int = 0) -> None:
    """Remove the file if it still names this process (0: us).

    The folder in which it was read is the one in which it is removed, whatever its name leads to by then
    (CVE-2021-27216).
    """
    with contextlib.suppress(OSError, ValueError), _opened_folder(path) as (folder, name):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        with open(descriptor, encoding="ascii") as file:
            names_it = int(file.read(20)) == (process or os.getpid())
        if names_it:
            os.unlink(name, dir_fd=folder)


@contextlib.contextmanager
def _opened_folder(path: str) -> Iterator[tuple[int, str]]:
    """The open folder of a file, and the file's name in it. OSError."""
    folder, name = os.path.split(path)
    descriptor = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor, name
    finally:
        os.close(descriptor)

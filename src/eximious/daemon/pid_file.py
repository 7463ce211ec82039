"""The file that says which process the daemon is."""

from __future__ import annotations

import contextlib
import os
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
    temporary = f"{path}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        os.fchmod(descriptor, 0o644)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
    finally:
        os.close(descriptor)
    os.rename(temporary, path)


def remove(path: str) -> None:
    """Remove the file if it still names us."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, encoding="ascii") as file:
            is_ours = int(file.read(20)) == os.getpid()
        if is_ours:
            os.unlink(path)

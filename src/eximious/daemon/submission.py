"""The Unix socket on which the daemon takes messages from ordinary users of this machine."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.config.main import MainOptions
    from eximious.exim.command_line import CommandLine


def listen(main: MainOptions, line: CommandLine, log: Callable[[str], None]) -> socket.socket | None:
    """The socket, which everybody may connect to; None if there is to be none, or cannot be.

    A daemon on ports of its own (-oX) takes no messages there, unless its configuration names a socket.
    """
    path = main.local_submission_socket
    if not path or (line.listen_on and not main.is_set("local_submission_socket")):
        return None
    try:
        return bind(path)
    except OSError as error:
        log(f"local users cannot submit over {path}: {error.strerror}")
        return None


def bind(path: str) -> socket.socket:
    """A listening socket, in place of what a dead daemon has left. OSError."""
    folder = os.path.dirname(path)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o755)
    temporary = f"{path}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(temporary)
        os.chmod(temporary, 0o666)
        listening.listen(128)
        os.rename(temporary, path)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening

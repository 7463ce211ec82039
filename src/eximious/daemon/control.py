"""The daemon's control socket (option notifier_socket), as commands use it: a word in, a line back.

It lies in the spool directory, where only the mail user and root come, and says nothing to anybody else.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.services import Services

PATIENCE: Final = 15.0  # seconds that a command waits for the daemon
DONE: Final = "done"


def path(config: Configuration) -> str:
    """Where the socket is (``notifier_socket``); "" if there is to be none."""
    return config.main.notifier_socket or ""


def ask(config: Configuration, word: str) -> str | None:
    """The daemon's answer; None if no daemon answers."""
    where = path(config)
    if not where or not os.path.exists(where):
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        try:
            connection.connect(where)
            connection.sendall(f"{word}\n".encode("ascii"))
            answer = b""
            while not answer.endswith(b"\n") and (more := connection.recv(65536)):
                answer += more
        except OSError:
            return None
    return answer.decode("utf-8").rstrip("\n") or None


def spill(services: Services) -> None:
    """Have everything that is in a journal in spool files, where every process sees it.

    A running daemon does it for its workers; what processes that died have left is recovered here.
    """
    from eximious.spool.errors import SpoolError

    ask(services.config, "spill")
    try:
        services.spool.recover()
    except SpoolError as error:
        with contextlib.suppress(OSError):
            services.logs.panic(str(error))

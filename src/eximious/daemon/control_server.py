"""The supervisor's side of the control socket: clients say one word; all but root and the mail user are cut off."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from eximious.daemon import control

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration

WORD_LIMIT: Final = 64  # octets
PATIENCE: Final = 10.0  # seconds that a client gets to say its word, and to be answered
CLIENTS: Final = 32  # at the same time
CREDENTIALS: Final = struct.Struct("=iII")  # process, user, group


class Client:
    """One connection."""

    __slots__ = ("deadline", "socket", "waits_for")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.deadline = time.monotonic() + PATIENCE
        self.waits_for: set[int] = set()  # workers that have yet to report

    def answer(self, text: str) -> None:
        """Say it, and good-bye."""
        with contextlib.suppress(OSError):
            self.socket.send(f"{text}\n".encode())
        self.socket.close()


class ControlServer:
    """Listens, and passes on what it is asked."""

    def __init__(self, config: Configuration) -> None:
        self._path = control.path(config)
        self._allowed = {0, config.main.exim_user, os.geteuid()}
        self.clients: dict[int, Client] = {}  # by descriptor
        self.socket = _listen(self._path, config)

    def accept(self) -> Client | None:
        """A client that has come, and may."""
        try:
            connection, _ = self.socket.accept()
        except OSError:
            return None
        connection.setblocking(False)
        if len(self.clients) >= CLIENTS or peer(connection)[1] not in self._allowed:
            connection.close()
            return None
        client = Client(connection)
        self.clients[connection.fileno()] = client
        return client

    def word(self, client: Client) -> str | None:
        """What the client says; None if it says nothing that could be a word."""
        try:
            data = client.socket.recv(WORD_LIMIT)
        except BlockingIOError:
            return ""
        except OSError:
            return None
        text = data.decode("ascii", "replace")
        return text.strip() if text.endswith("\n") else None

    def forget(self, descriptor: int) -> None:
        """The client has been answered, or has gone."""
        client = self.clients.pop(descriptor, None)
        if client is not None:
            client.socket.close()

    def reported(self, worker: int) -> Iterable[int]:
        """A worker has done what clients wait for, or has ended; gives the descriptors of those now answered."""
        for descriptor, client in list(self.clients.items()):
            if worker in client.waits_for:
                client.waits_for.discard(worker)
                if not client.waits_for:
                    client.answer(control.DONE)
                    del self.clients[descriptor]
                    yield descriptor

    def expire(self, forget: Callable[[int], None]) -> None:
        """Cut off clients whose time is over."""
        now = time.monotonic()
        for descriptor in [each for each, client in self.clients.items() if client.deadline < now]:
            forget(descriptor)

    def close(self, *, remove: bool) -> None:
        """Stop listening."""
        self.socket.close()
        for client in self.clients.values():
            client.socket.close()
        if remove:
            with contextlib.suppress(OSError):
                os.unlink(self._path)


def peer(connection: socket.socket) -> tuple[int, int, int]:
    """Process, user and group at the other end of a Unix socket."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return CREDENTIALS.unpack(data)


def _listen(path: str, config: Configuration) -> socket.socket:
    """A socket that only its owner can connect to; it takes the place of one that a dead daemon has left."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    temporary = f"{path}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    before = os.umask(0o177)
    try:
        listening.bind(temporary)
    finally:
        os.umask(before)
    if os.geteuid() == 0:
        os.chown(temporary, config.main.exim_user, config.main.exim_group, follow_symlinks=False)
    listening.listen(16)
    listening.setblocking(False)
    os.rename(temporary, path)
    return listening

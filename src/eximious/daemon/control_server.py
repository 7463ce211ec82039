"""The supervisor's side of the control socket: clients say one word; all but root and the mail user are cut off."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from eximious.daemon import control

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration

WORD_LIMIT: Final = 64  # octets
PATIENCE: Final = 10.0  # seconds that a client gets to say its word, and to be answered
CLIENTS: Final = 32  # at the same time
CREDENTIALS: Final = struct.Struct("=iII")  # process, user, group


class Client:
    """One connection."""

    __slots__ = ("_waits_for", "deadline", "is_waiting", "socket")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.deadline = time.monotonic() + PATIENCE
        self.is_waiting = False  # it has asked for something that workers do
        self._waits_for: set[int] = set()

    @property
    def waits_for(self) -> set[int]:
        """Workers that have yet to report."""
        return self._waits_for

    @waits_for.setter
    def waits_for(self, workers: set[int]) -> None:
        self._waits_for = workers
        self.is_waiting = True

    def answer(self, text: str) -> None:
        """Say it."""
        with contextlib.suppress(OSError):
            self.socket.send(f"{text}\n".encode())


class ControlServer:
    """Listens, and has done what it is asked for: `spill` asks all workers and gives their ids, `status` tells."""

    def __init__(
        self,
        config: Configuration,
        poll: select.poll,
        spill: Callable[[], set[int]],
        status: Callable[[], dict[str, Any]],
    ) -> None:
        self._path = control.path(config)
        self._allowed = {0, config.main.exim_user, os.geteuid()}
        self._poll = poll
        self._spill = spill
        self._status = status
        self._clients: dict[int, Client] = {}  # by descriptor
        self.socket = _listen(self._path, config)
        poll.register(self.socket.fileno(), select.POLLIN)

    def handle(self, descriptor: int) -> bool:
        """Do what is to be done for a descriptor that is ready; False if it is none of ours."""
        if descriptor == self.socket.fileno():
            self._accept()
        elif descriptor in self._clients:
            self._obey(descriptor)
        else:
            return False
        return True

    def _accept(self) -> None:
        """Let a client in that may."""
        try:
            connection, _ = self.socket.accept()
        except OSError:
            return
        connection.setblocking(False)
        if len(self._clients) >= CLIENTS or peer(connection)[1] not in self._allowed:
            connection.close()
            return
        self._clients[connection.fileno()] = Client(connection)
        self._poll.register(connection.fileno(), select.POLLIN)

    def _obey(self, descriptor: int) -> None:
        client = self._clients[descriptor]
        word = _word(client)
        if word == "spill":
            self._poll.unregister(descriptor)
            client.waits_for = self._spill()
            self.reported(0)
        elif word == "status":
            client.answer(json.dumps(self._status()))
            self._forget(descriptor)
        elif word != "":
            self._forget(descriptor)

    def reported(self, worker: int) -> None:
        """A worker has done what clients wait for, or has ended: those who wait for no other are answered."""
        for descriptor, client in list(self._clients.items()):
            if client.is_waiting:
                client.waits_for.discard(worker)
                if not client.waits_for:
                    client.answer(control.DONE)
                    self._forget(descriptor)

    def next_deadline(self) -> float | None:
        """When the time of the next client is over."""
        return min((client.deadline for client in self._clients.values()), default=None)

    def expire(self) -> None:
        """Cut off clients whose time is over."""
        now = time.monotonic()
        for descriptor in [each for each, client in self._clients.items() if client.deadline < now]:
            self._forget(descriptor)

    def _forget(self, descriptor: int) -> None:
        with contextlib.suppress(KeyError):
            self._poll.unregister(descriptor)
        self._clients.pop(descriptor).socket.close()

    def close(self, *, remove: bool) -> None:
        """Stop listening."""
        self.socket.close()
        for client in self._clients.values():
            client.socket.close()
        if remove:
            with contextlib.suppress(OSError):
                os.unlink(self._path)


def _word(client: Client) -> str | None:
    """What the client says; "" if it has not said it yet, None for what cannot be a word."""
    try:
        data = client.socket.recv(WORD_LIMIT)
    except BlockingIOError:
        return ""
    except OSError:
        return None
    text = data.decode("ascii", "replace")
    return text.strip() if text.endswith("\n") else None


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

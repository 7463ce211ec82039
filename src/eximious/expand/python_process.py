"""The server's side of ``${python``: a process that runs the functions, started when it is first needed.

The functions are the postmaster's, but what they are given comes from strangers: they run outside the server, never as
root, and when one takes longer than ``python_timeout`` its process is killed and the next call has a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from eximious.errors import ExpandError
from eximious.expand import python_runner
from eximious.waiting import wait

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration

GRACE: Final = 0.5  # seconds, beyond the limit, in which the process itself may say that a function was too slow
START_LIMIT: Final = 60.0  # seconds in which the modules of python_startup must be imported
ENDED: Final = "the process for ${python ended"
LARGEST: Final = 64 * 1024 * 1024  # octets of an answer
PRIVATE: Final = ("PYTHON", "LD_")  # variables of the environment that change what a program does


class PythonProcess:
    """Calls functions in a process of their own. Belongs to the process that made it."""

    def __init__(
        self, path: list[str], startup: list[str], limit: float, user: int | None = None, group: int | None = None
    ) -> None:
        self.path = path  # folders, searched first
        self.startup = startup  # modules to import at the start
        self.limit = limit  # seconds a call may take
        self.user = user  # whom the process becomes if we are root
        self.group = group
        self._connection: Connection | None = None

    @classmethod
    def from_config(cls, config: Configuration) -> PythonProcess:
        """As the main options say."""
        main = config.main
        path, startup = main.python_path or [], main.python_startup or []
        return cls(path, startup, main.python_timeout, main.exim_user, main.exim_group)

    def call(self, name: str, arguments: list[str]) -> Answer:
        """Call ``module.function``. Raises ExpandError if there is no answer."""
        return Answer(wait(self._call(name, arguments)))

    def start(self) -> None:
        """Start the process now, so that modules are imported before the first call. Raises ExpandError."""
        wait(self._started())

    def close(self) -> None:
        """End the process."""
        if self._connection is not None:
            self._connection.end()
            self._connection = None
            wait(asyncio.sleep(0.01))  # in which the event loop closes the socket

    async def _call(self, name: str, arguments: list[str]) -> dict[str, Any]:
        connection = await self._started()
        call = {"name": name, "arguments": [_decoded(argument) for argument in arguments]}
        return await self._asked(connection, call, self.limit)

    async def _asked(self, connection: Connection, message: dict[str, Any], limit: float) -> dict[str, Any]:
        try:
            answer = await asyncio.wait_for(connection.ask(message), limit + GRACE)
        except TimeoutError:
            answer = {"error": f"no result within {limit:g} s", "stuck": True}
        if answer.get("stuck"):
            connection.end()
        return answer

    async def _started(self) -> Connection:
        connection = self._connection
        loop = asyncio.get_running_loop()
        if connection is None or connection.is_over or not connection.belongs_to(os.getpid(), loop):
            connection = self._connection = Connection(loop)
            connection.ready = loop.create_task(self._start(connection, loop))
        await asyncio.shield(connection.ready)  # others may be waiting for it, too
        return connection

    async def _start(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        """Start the process; what it is asked first is answered when all modules have been imported."""
        try:
            sock = self._launch(connection)
        except ExpandError:
            connection.end()
            raise
        await loop.create_connection(lambda: cast(Any, connection), sock=sock)
        await self._asked(connection, {"path": self.path, "startup": self.startup, "limit": self.limit}, START_LIMIT)

    def _launch(self, connection: Connection) -> socket.socket:
        if not self.path and not self.startup:
            raise ExpandError("A setting of python_path or python_startup is needed for ${python")
        for folder in self.path:
            check_folder(folder)
        user, group = self._identity()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                popen: Any = subprocess.Popen  # its overloads do not know that user and group may be None
                connection.process = popen(
                    [sys.executable, "-I", "-X", "utf8", python_runner.__file__],
                    stdin=theirs,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)},
                    start_new_session=True,
                    user=user,
                    group=group,
                    extra_groups=None if user is None else [],
                )
            except (OSError, subprocess.SubprocessError) as error:
                ours.close()
                raise ExpandError(f"cannot start the process for ${{python: {error}") from None
        return ours

    def _identity(self) -> tuple[int | None, int | None]:
        """Whom the process becomes so that it is not root, if we are. Raises ExpandError if nobody is left."""
        if os.geteuid() != 0 and os.getuid() != 0:
            return None, None
        if not self.user or not self.group:
            raise ExpandError("functions of ${python do not run as root, and exim_user is no one else")
        return self.user, self.group


class Answer:
    """What a call gave: a text, nothing (None), or an error, of which `where` tells the postmaster more."""

    __slots__ = ("error", "text", "where")

    def __init__(self, message: dict[str, Any]) -> None:
        result, error, where = message.get("result"), message.get("error"), message.get("where")
        self.text = _encoded(result) if isinstance(result, str) else None
        self.error = _encoded(str(error)) if error is not None else ""
        self.where = _encoded(str(where)) if where is not None else ""


class Connection(asyncio.Protocol):
    """The socket to one process, and the calls that it has not answered yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.ready: asyncio.Future[None] = loop.create_future()  # done when the process can be asked
        self._loop = loop
        self._pid = os.getpid()
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = bytearray()
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self.is_over = False

    def belongs_to(self, pid: int, loop: asyncio.AbstractEventLoop) -> bool:
        """False after a fork, or on another event loop."""
        return self._pid == pid and self._loop is loop

    def ask(self, call: dict[str, Any]) -> asyncio.Future[dict[str, Any]]:
        """Send a call; its answer comes later."""
        self._number += 1
        answer = self._asked[self._number] = self._loop.create_future()
        if self.is_over or self._transport is None:
            answer.set_result({"error": ENDED})
        else:
            self._transport.write(python_runner.encode({"id": self._number, **call}))
        return answer

    def end(self) -> None:
        """Kill the process; calls that wait for it fail."""
        self.is_over = True
        if self.process is not None and self._pid == os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self._transport is not None:
            self._transport.close()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_result({"error": ENDED})
        self._asked.clear()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ready."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The process has ended, or we have ended it."""
        if not self.is_over:
            self.end()

    def data_received(self, data: bytes) -> None:
        """Part of an answer, or several."""
        self._buffer += data
        while len(self._buffer) >= 4:
            size = int.from_bytes(self._buffer[:4], "big")
            if size > LARGEST:
                self.end()
                return
            if len(self._buffer) < 4 + size:
                return
            text = bytes(self._buffer[4 : 4 + size])
            del self._buffer[: 4 + size]
            self._answered(text)

    def _answered(self, text: bytes) -> None:
        try:
            message = json.loads(text)
            answer = self._asked.pop(message["id"], None)
        except (ValueError, TypeError, KeyError, RecursionError):
            self.end()  # a function has got hold of the socket; what comes after that means nothing
            return
        if answer is not None and not answer.done():
            answer.set_result(message)


def check_folder(folder: str) -> None:
    """Raise ExpandError for a folder in ``python_path`` that is none, or into which anybody may write."""
    if not folder.startswith("/"):
        raise ExpandError(f"python_path: {folder} is not an absolute path")
    try:
        status = os.stat(folder.encode("latin-1"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ExpandError(f"python_path: {folder}: {reason}") from None
    if not stat.S_ISDIR(status.st_mode):
        raise ExpandError(f"python_path: {folder} is not a directory")
    if status.st_mode & stat.S_IWOTH:
        raise ExpandError(f"python_path: anybody may write into {folder}")


def _decoded(octets: str) -> str:
    """Text of the server, one character an octet, as Python programs have it."""
    return octets.encode("latin-1").decode("utf-8", "surrogateescape")


def _encoded(text: str) -> str:
    """The way back; what no UTF-8 can be made of becomes question marks."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("latin-1")

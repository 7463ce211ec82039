"""The process in which functions of ``${python`` run: started as a script, by itself, with nothing of the server in it.

Its standard input is a socket. Messages in both directions are a length of four octets and JSON: first the settings
(``{"id", "path", "startup", "limit"}``), then calls (``{"id", "name", "arguments"}``). An answer has "id" and
one of "result", "none", "error"; "where" is the file and line that raised, for the postmaster's log, and "stuck" that
this process cannot go on.

Plain functions are called one at a time, all in the same thread; async functions run side by side on one event loop.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Refused(Exception):
    """What was asked for is not to be called."""


class Runner:
    """Calls functions, and says what came of it."""

    def __init__(self, path: list[str], startup: list[str], limit: float) -> None:
        self.path = [os.path.realpath(folder) for folder in path]
        self.startup = frozenset(startup)
        self.limit = limit  # seconds that a call may take
        self.thread = ThreadPoolExecutor(1)
        self._functions: dict[str, Callable[..., Any]] = {}

    def find(self, name: str) -> Callable[..., Any]:
        """The function of that name; its module is imported if this is the first call."""
        found = self._functions.get(name)
        if found is None:
            module_name, _, attribute = name.rpartition(".")
            module = importlib.import_module(module_name)
            if module_name not in self.startup and not self._is_below_path(module):
                raise Refused(f"module {module_name} is neither below python_path nor named in python_startup")
            found = getattr(module, attribute)
            if not callable(found):
                raise Refused(f"{name} is not a function")
            self._functions[name] = found
        return found

    def _is_below_path(self, module: Any) -> bool:
        file = getattr(module, "__file__", None)
        return file is not None and any(os.path.realpath(file).startswith(f"{folder}/") for folder in self.path)

    def start(self) -> None:
        """Import what is to be imported at the start; a module that cannot be fails again when it is called."""
        for name in self.startup:
            try:
                importlib.import_module(name)
            except (Exception, SystemExit):  # foreign code may raise anything
                continue

    async def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        """What a call gives, as the answer to be sent."""
        try:
            return await asyncio.wait_for(self._outcome(call["name"], call["arguments"]), self.limit)
        except TimeoutError:
            # A plain function cannot be interrupted: its thread is lost, and with it this process.
            is_stuck = not inspect.iscoroutinefunction(self._functions.get(call["name"]))
            return {"error": f"no result within {self.limit:g} s", "stuck": is_stuck}

    async def _outcome(self, name: str, arguments: list[str]) -> dict[str, Any]:
        try:
            result = await self._call(name, arguments)
        except Refused as error:
            return {"error": str(error)}
        except (Exception, SystemExit) as error:  # foreign code may raise anything; all of it is told
            return {"error": _told(error), "where": _where(error)}
        if result is None:
            return {"none": True}
        if not isinstance(result, str):
            return {"error": f"returned {type(result).__name__}, not a string"}
        return {"result": str(result)}

    async def _call(self, name: str, arguments: list[str]) -> Any:
        loop = asyncio.get_running_loop()
        function = self._functions.get(name)
        if function is None:
            function = await loop.run_in_executor(self.thread, self.find, name)
        if inspect.iscoroutinefunction(function):
            return await function(*arguments)
        result = await loop.run_in_executor(self.thread, _plain, function, arguments)
        return await result if inspect.isawaitable(result) else result


def _plain(function: Callable[..., Any], arguments: list[str]) -> Any:
    try:
        return function(*arguments)
    except StopIteration as error:  # which a future cannot carry
        raise RuntimeError("StopIteration") from error


def _told(error: BaseException) -> str:
    """The exception's own text, in one line; its type if it has none."""
    return " ".join(str(error).split())[:1000] or type(error).__name__


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {place}"


def encode(message: dict[str, Any]) -> bytes:
    """A message as it is sent."""
    text = json.dumps(message).encode("ascii")
    return len(text).to_bytes(4, "big") + text


async def serve(connection: socket.socket) -> None:
    """Answer calls until the server closes its end."""
    reader, writer = await asyncio.open_connection(sock=connection)

    async def receive() -> dict[str, Any]:
        size = int.from_bytes(await reader.readexactly(4), "big")
        message: dict[str, Any] = json.loads(await reader.readexactly(size))
        return message

    async def respond(call: dict[str, Any]) -> None:
        writer.write(encode({"id": call["id"], **await runner.answer(call)}))

    settings = await receive()
    sys.path[:0] = settings["path"]
    runner = Runner(settings["path"], settings["startup"], settings["limit"])
    await asyncio.get_running_loop().run_in_executor(runner.thread, runner.start)
    writer.write(encode({"id": settings["id"]}))
    tasks: set[asyncio.Task[None]] = set()
    while True:
        task = asyncio.create_task(respond(await receive()))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def main() -> None:
    """Run until standard input ends. Functions find an empty input, and what they print goes nowhere."""
    if 0 in (*os.getresuid(), *os.getresgid()):
        sys.exit(1)  # never with root's rights, whoever started us and why
    connection = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    try:
        asyncio.run(serve(connection))
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        os._exit(0)  # a function that is still at work does not keep us


if __name__ == "__main__":
    main()

"""Servers that accept a connection and say nothing, or next to nothing: time runs out, and others go on meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from eximious import waiting
from eximious.context import Context
from eximious.lookups import pool
from tests.expand.context import answer, make_context

pytestmark = pytest.mark.slow

LONGEST = 4.0  # seconds for a lookup with limits of one second
LONGEST_STOP = 0.5  # seconds that the event loop may be held up, on a busy machine


class StuckServer:
    """Accepts connections. What it says comes one octet at a time, and never ends."""

    def __init__(self, says: bytes, pause: float) -> None:
        self._says = says
        self._pause = pause
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._socket.getsockname()[1]
        self.connections: list[socket.socket] = []
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            if self._says:
                self._threads.append(threading.Thread(target=self._drip, args=(connection,)))
                self._threads[-1].start()

    def _drip(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for octet in self._says:
                connection.sendall(bytes([octet]))
                if self._ends.wait(self._pause):
                    return

    def close(self) -> None:
        self._ends.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(5)
        for connection in self.connections:
            connection.close()


@pytest.fixture(params=[(b"", 0.0), (b"$999999999\r\n" + b"x" * 100, 0.2)], ids=["silent", "dripping"])
def server(request: pytest.FixtureRequest) -> Iterator[StuckServer]:
    running = StuckServer(*request.param)
    yield running
    running.close()


LIMITS = "connect=1s,timeout=1s"
LOOKUPS = [
    ("redis", f"${{lookup redis,{LIMITS}{{get key}}}}"),
    ("redis", f"${{lookup redis,{LIMITS},servers=127.0.0.1::PORT[tls]//{{get key}}}}"),
    ("mysql", f"${{lookup mysql,{LIMITS}{{select 1}}}}"),
    ("pgsql", f"${{lookup pgsql,{LIMITS}{{select 1}}}}"),
    ("ldap", "${lookup ldap{nettime=1 ldap://127.0.0.1:PORT/o=x?y}}"),
    ("ldap", "${lookup ldap{nettime=1 ldaps://127.0.0.1:PORT/o=x?y}}"),
    ("readsock", "${lookup readsock,timeout=1s,file=inet:127.0.0.1:PORT{question}}"),
]
NEEDS = {"mysql": "pymysql", "pgsql": "psycopg"}


def context_for(port: int) -> Context:
    return make_context(
        f"redis_servers = 127.0.0.1::{port}/0/password\n"
        f"mysql_servers = 127.0.0.1::{port}/a/b/c\npgsql_servers = 127.0.0.1::{port}/a/b/c\n"
    )


async def longest_stop() -> float:
    """The longest time that nothing else could happen, until it is cancelled."""
    longest = 0.0
    try:
        while True:
            start = time.monotonic()
            await asyncio.sleep(0.02)
            longest = max(longest, time.monotonic() - start)
    except asyncio.CancelledError:
        return longest


@pytest.mark.parametrize(("kind", "text"), LOOKUPS)
def test_time_runs_out(server: StuckServer, kind: str, text: str) -> None:
    if kind in NEEDS and importlib.util.find_spec(NEEDS[kind]) is None:
        pytest.skip(f"no {NEEDS[kind]}")
    context = context_for(server.port)

    async def look() -> tuple[str, float]:
        watch = asyncio.ensure_future(longest_stop())
        found = await waiting.run(answer, text.replace("PORT", str(server.port)), context)
        watch.cancel()
        stopped = await watch
        context.services.lookups.close()
        return found, stopped

    start = time.monotonic()
    found, stopped = asyncio.run(look())
    assert found.startswith("Failed: lookup of ")
    assert time.monotonic() - start < LONGEST
    assert stopped < LONGEST_STOP


@pytest.mark.parametrize(("kind", "text"), LOOKUPS)
def test_time_runs_out_without_a_loop(server: StuckServer, kind: str, text: str) -> None:
    if kind in NEEDS and importlib.util.find_spec(NEEDS[kind]) is None:
        pytest.skip(f"no {NEEDS[kind]}")
    context = context_for(server.port)
    start = time.monotonic()
    assert answer(text.replace("PORT", str(server.port)), context).startswith("Failed: lookup of ")
    assert time.monotonic() - start < LONGEST
    context.services.lookups.close()


def test_a_server_is_not_asked_too_much_at_once() -> None:
    server = StuckServer(b"", 0.0)
    context = context_for(server.port)
    text = f"${{lookup redis,{LIMITS}{{get key}}}}"

    async def look() -> list[str]:
        found = await asyncio.gather(*[waiting.run(answer, text, context) for _ in range(pool.MOST_BUSY * 2)])
        context.services.lookups.close()
        return found

    try:
        found = asyncio.run(look())
        assert all(one.startswith('Failed: lookup of "get key" gave DEFER: ') for one in found)
        assert len(server.connections) <= pool.MOST_BUSY * 2
        assert sum("too many questions" in one or "timed out" in one for one in found) == len(found)
    finally:
        server.close()

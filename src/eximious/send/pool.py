"""Connections that have carried a message and may carry another one.

In a one-shot process they wait until the delivery is over and nothing else waits for the host; in the daemon, for some
seconds. A connection is used again only by the same transport, for the same host, in the same name and from the same
address of ours.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from eximious import waiting

if TYPE_CHECKING:
    from eximious.address.delivery import Host
    from eximious.send.connection import Connection
    from eximious.services import Services

IDLE_LIMIT: Final = 2.0  # seconds; the daemon closes connections that nobody has wanted for so long
MOST_IDLE: Final = 128  # connections of a process
PER_HOST: Final = 32

Key = tuple[Any, ...]  # the transport's name, the host's name, address and port, and more


class Pool:
    """The idle connections of one process, under one configuration."""

    def __init__(self) -> None:
        self._idle: dict[Key, list[Connection]] = {}
        self._count = 0
        self._timer: Any = None
        self._pid = os.getpid()
        self._news: list[Connection] = []  # that became idle, and for which nobody has looked for more to send

    @staticmethod
    def of(services: Services) -> Pool:
        """The pool of this process."""
        pool: Pool | None = services.connections
        if pool is None or pool._pid != os.getpid():
            if pool is not None:
                pool._leave()
            services.connections = pool = Pool()
        return pool

    def _leave(self) -> None:
        """After a fork, the connections belong to the other process."""
        for connection in self.idle():
            connection.stream.leave()

    def take(self, key: Key) -> Connection | None:
        """An idle connection that still stands, or None."""
        waiting_ones = self._idle.get(key)
        while waiting_ones:
            connection = waiting_ones.pop()
            self._count -= 1
            if not waiting_ones:
                del self._idle[key]
            if connection.is_usable():
                return connection
            connection.close()
        return None

    def give(self, key: Key, connection: Connection) -> None:
        """A connection is idle again. It is closed if it has carried enough, or too many are idle."""
        most = connection.transport.connection_max_messages
        same = self._idle.setdefault(key, [])
        is_used_up = most > 0 and connection.messages >= most
        if connection.is_broken or is_used_up or len(same) >= PER_HOST or self._count >= MOST_IDLE:
            if not same:
                del self._idle[key]
            connection.quit()
            return
        connection.rest()
        self._news.append(connection)
        same.append(connection)
        self._count += 1
        if waiting.on_loop():
            self._set_timer()

    @property
    def has_news(self) -> bool:
        """True if a connection has become idle since `take_news`."""
        return bool(self._news)

    def take_news(self) -> list[Connection]:
        """The connections that became idle."""
        news, self._news = self._news, []
        return news

    def still_idle(self, connections: list[Connection]) -> list[Connection]:
        """Those of these connections that nobody has taken."""
        idle = self.idle()
        return [connection for connection in connections if any(connection is other for other in idle)]

    def has(self, transport_name: str, host: Host) -> bool:
        """True if a connection of the transport to the host is idle."""
        wanted = (transport_name, host.name.lower(), host.address, host.port)
        return any(key[: len(wanted)] == wanted for key in self._idle)

    def has_any(self) -> bool:
        """True if a connection is idle."""
        return self._count > 0

    def idle(self) -> list[Connection]:
        """All idle connections."""
        return [connection for same in self._idle.values() for connection in same]

    def close(self) -> None:
        """Say goodbye on all idle connections."""
        for connection in self.idle():
            connection.quit()
        self._idle.clear()
        self._news.clear()
        self._count = 0

    # --- in the daemon ----------------------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        if self._timer is None:
            import asyncio

            self._timer = asyncio.get_running_loop().call_later(IDLE_LIMIT, self._expire)

    def _expire(self) -> None:
        """Close what has been idle for too long."""
        import asyncio

        self._timer = None
        limit = time.monotonic() - IDLE_LIMIT
        old: list[Connection] = []
        for key, same in list(self._idle.items()):
            old += [connection for connection in same if connection.idle_since <= limit]
            young = [connection for connection in same if connection.idle_since > limit]
            if young:
                self._idle[key] = young
            else:
                del self._idle[key]
        self._count -= len(old)
        if old:
            task = asyncio.get_running_loop().create_task(waiting.run(_quit_all, old))
            task.add_done_callback(_forget)
            _closing.add(task)
        if self._count:
            self._set_timer()


_closing: set[Any] = set()


def _forget(task: Any) -> None:
    _closing.discard(task)


def _quit_all(connections: list[Connection]) -> None:
    for connection in connections:
        connection.quit()

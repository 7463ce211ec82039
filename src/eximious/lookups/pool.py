"""Connections of lookups that are kept open, and how many there may be."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from eximious.errors import Defer
from eximious.waiting import on_loop, wait

if TYPE_CHECKING:
    import asyncio

C = TypeVar("C")
T = TypeVar("T")

MOST_IDLE: Final = 8  # connections to one server that are kept for later
MOST_BUSY: Final = 16  # questions to one server at the same time; more wait for their turn
MOST_SERVERS: Final = 64  # to which idle connections are kept


class Pool(Generic[C]):
    """Connections that wait to be used again, by server, and a limit on those that are used."""

    def __init__(self, close: Callable[[C], Any]) -> None:
        self._idle: dict[str, list[C]] = {}
        self._close = close
        self._busy: dict[str, int] = {}
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}

    def close(self) -> None:
        """Close all that wait."""
        for key in list(self._idle):
            self._close_idle(key)

    def use(self, key: str, connect: Callable[[], C], ask: Callable[[C], T]) -> T:
        """What `ask` learns over a connection that was kept, or over a new one if the server closed that meanwhile.

        Raises what they raise; the connection is closed then.
        """
        while True:
            kept = self.take(key)
            connection = connect() if kept is None else kept
            try:
                answer = ask(connection)
            except BaseException as error:
                self._close(connection)
                if kept is not None and isinstance(error, OSError) and not isinstance(error, TimeoutError):
                    continue
                raise
            self.put(key, connection)
            return answer

    def take(self, key: str) -> C | None:
        """One that was put back, if there is one."""
        idle = self._idle.get(key)
        return idle.pop() if idle else None

    def put(self, key: str, connection: C) -> None:
        """Keep a connection that is in order."""
        idle = self._idle.pop(key, [])
        self._idle[key] = idle
        while len(self._idle) > MOST_SERVERS:
            self._close_idle(next(iter(self._idle)))
        if len(idle) < MOST_IDLE:
            idle.append(connection)
        else:
            self._close(connection)

    def _close_idle(self, key: str) -> None:
        for connection in self._idle.pop(key):
            self._close(connection)

    @contextmanager
    def turn(self, key: str, patience: float) -> Iterator[None]:
        """A place among those who may ask the server now. Raises Defer if there is none within so many seconds."""
        if not on_loop():  # then nobody else can be asking
            yield
            return
        if self._busy.get(key, 0) >= MOST_BUSY:
            self._wait(key, patience)
        else:
            self._busy[key] = self._busy.get(key, 0) + 1
        try:
            yield
        finally:
            self._hand_on(key)

    def _wait(self, key: str, patience: float) -> None:
        """Wait until somebody hands the place on."""
        import asyncio

        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._queues.setdefault(key, deque())
        queue.append(turn)
        try:
            wait(asyncio.wait_for(turn, patience))
        except TimeoutError:
            raise Defer("too many questions to this server wait for an answer") from None

    def _hand_on(self, key: str) -> None:
        queue = self._queues.get(key)
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._queues.pop(key, None)
        self._busy[key] -= 1
        if not self._busy[key]:
            del self._busy[key]

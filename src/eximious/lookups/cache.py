"""What a process keeps for its lookups."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from eximious.lookups.files import FileCache
from eximious.waiting import on_loop, wait

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

P = ParamSpec("P")
T = TypeVar("T")

MOST_THREADS: Final = 32  # for lookups whose libraries block


class LookupCache:
    """Files as they were read, connections by lookup type, and threads for what blocks."""

    def __init__(self) -> None:
        self.files = FileCache()
        self.connections: dict[str, Any] = {}  # by lookup type, what is kept open; each has a `close`
        self._threads: ThreadPoolExecutor | None = None

    def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that blocks, perhaps until a server that is stuck has used up its time.

        The threads are not those of `waiting.in_thread`, so nothing but lookups waits for such a server.
        """
        if not on_loop():
            return function(*args, **kwargs)
        import asyncio
        from functools import partial

        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor

            self._threads = ThreadPoolExecutor(MOST_THREADS, "lookup")
        loop = asyncio.get_running_loop()
        return wait(loop.run_in_executor(self._threads, partial(function, *args, **kwargs)))

    def close(self) -> None:
        """Close everything that is open."""
        for opened in self.connections.values():
            opened.close()
        self.connections.clear()
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

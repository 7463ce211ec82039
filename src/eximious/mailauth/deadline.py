"""A time limit that costs nothing for what does not wait.

Most checks are answered from a cache. Setting up a timer would be a third of their cost, so there is none until the
coroutine waits for the first time.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


async def within(seconds: float, coroutine: Coroutine[Any, Any, T]) -> T:
    """The coroutine's result. Raises TimeoutError if it waits, and is not done in time."""
    try:
        first = coroutine.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    import asyncio

    async with asyncio.timeout(seconds):
        return await _Rest(coroutine, first)


class _Rest(Generic[T]):
    """A coroutine that was begun already, and what it waits for."""

    __slots__ = ("_coroutine", "_first")

    def __init__(self, coroutine: Coroutine[Any, Any, T], first: Any) -> None:
        self._coroutine = coroutine
        self._first = first

    def __await__(self) -> Generator[Any, Any, T]:
        awaited = self._first
        try:
            while True:
                try:
                    sent = yield awaited
                except GeneratorExit:
                    self._coroutine.close()
                    raise
                except BaseException as error:
                    awaited = self._coroutine.throw(error)
                else:
                    awaited = self._coroutine.send(sent)
        except StopIteration as ended:
            result: T = ended.value
            return result

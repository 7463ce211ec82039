"""Waiting without colouring: plain functions that can wait for the event loop.

Policy, sessions and deliveries are written as ordinary functions. Where one has to wait (DNS, a socket, a database) it
calls `wait(awaitable)`. In a daemon the function runs in a greenlet, and `wait` hands the awaitable to the event loop
while other greenlets go on; what does not wait costs nothing. In a one-shot process (``exim -be``, ``exim -bs``) there
is no loop, and none is even imported until something waits: then `wait` runs the awaitable to its end.
See docs/decisions/0001-greenlets.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

import greenlet

if TYPE_CHECKING:
    import asyncio

P = ParamSpec("P")
T = TypeVar("T")

_private_loop: asyncio.AbstractEventLoop | None = None


class _Waiter(greenlet.greenlet):
    """A greenlet whose parent is a coroutine that awaits on its behalf."""


def wait(awaitable: Awaitable[T]) -> T:
    """The result of the awaitable; everything else goes on meanwhile. Raises what the awaitable raises."""
    current = greenlet.getcurrent()
    if isinstance(current, _Waiter):
        parent = current.parent
        assert parent is not None
        return cast(T, parent.switch(awaitable))
    return private_loop().run_until_complete(_as_coroutine(awaitable))


async def run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a plain function that may `wait`, from a coroutine."""
    waiter = _Waiter(function)
    result: Any = waiter.switch(*args, **kwargs)
    while not waiter.dead:
        try:
            value = await result
        except BaseException as error:
            # Raised where the function waits; the traceback travels along.
            result = waiter.throw(error)
        else:
            result = waiter.switch(value)
    return cast(T, result)


def gather(functions: list[Callable[[], T]], at_most: int) -> list[T]:
    """Call the functions, up to `at_most` at a time, and give their results in order. The first exception is raised."""
    if at_most <= 1 or len(functions) <= 1:
        return [function() for function in functions]
    return wait(_gather(functions, at_most))


async def _gather(functions: list[Callable[[], T]], at_most: int) -> list[T]:
    import asyncio

    places = asyncio.Semaphore(at_most)

    async def one(function: Callable[[], T]) -> T:
        async with places:
            return await run(function)

    return list(await asyncio.gather(*map(one, functions)))


def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that blocks: in a thread where an event loop must go on, at once in a one-shot process."""
    if not isinstance(greenlet.getcurrent(), _Waiter):
        return function(*args, **kwargs)
    import asyncio

    return wait(asyncio.to_thread(function, *args, **kwargs))


def sleep(seconds: float) -> None:
    """Let the given time pass, in seconds."""
    if isinstance(greenlet.getcurrent(), _Waiter):
        import asyncio

        wait(asyncio.sleep(seconds))
    else:
        import time

        time.sleep(seconds)


def on_loop() -> bool:
    """True if the caller runs in a greenlet on an event loop, where blocking calls are forbidden."""
    return isinstance(greenlet.getcurrent(), _Waiter)


def private_loop() -> asyncio.AbstractEventLoop:
    """The event loop of a one-shot process, made at the first wait."""
    global _private_loop
    if _private_loop is None:
        import asyncio

        _private_loop = asyncio.new_event_loop()
    return _private_loop


async def _as_coroutine(awaitable: Awaitable[T]) -> T:
    return await awaitable


def start(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin a task that goes on by itself; the caller keeps the reference."""
    import asyncio

    return asyncio.get_running_loop().create_task(coroutine)


class Ahead(Generic[T]):
    """Something that will be needed, begun now: it goes on while the caller does other things, until it is asked for.

    In a one-shot process, where nothing goes on by itself, it begins when it is asked for. What goes wrong is for
    whoever asks; if nobody does, nobody hears of it.
    """

    __slots__ = ("_make", "_task")

    def __init__(self, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._make = make
        self._task: asyncio.Task[T] | None = None
        if on_loop():
            self._task = start(make())
            self._task.add_done_callback(_heard)

    def result(self) -> T:
        """The result, once it is there; to be asked for once. Raises what the coroutine raises."""
        return wait(self._make() if self._task is None else self._task)

    def cancel(self) -> None:
        """It is not needed any more."""
        if self._task is not None:
            self._task.cancel()


def _heard(task: asyncio.Task[Any]) -> None:
    """Look at what went wrong, so that asyncio does not complain if nobody else does."""
    if not task.cancelled():
        task.exception()

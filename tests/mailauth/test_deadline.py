"""The time limit that costs nothing for what does not wait."""

from __future__ import annotations

import asyncio

import pytest

from eximious.mailauth.deadline import within


async def ended(seconds: float, log: list[str]) -> str:
    try:
        await asyncio.sleep(seconds)
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        log.append("cancelled")
        raise
    finally:
        log.append("over")
    return "done"


async def at_once() -> str:
    return "done"


def test_no_loop_is_needed_for_what_does_not_wait() -> None:
    with pytest.raises(StopIteration) as stopped:
        within(1, at_once()).send(None)
    assert stopped.value.value == "done"


def test_in_time_and_too_late() -> None:
    log: list[str] = []
    assert asyncio.run(within(5, ended(0, log))) == "done"
    with pytest.raises(TimeoutError):
        asyncio.run(within(0.01, ended(60, log)))
    assert log == ["over", "cancelled", "over"]


def test_what_is_given_up_is_closed() -> None:
    log: list[str] = []

    async def run() -> None:
        waiting = within(5, ended(60, log)).__await__()
        next(waiting)
        waiting.close()

    asyncio.run(run())
    assert log == ["over"]


def test_errors_come_through() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError("x")

    with pytest.raises(KeyError):
        asyncio.run(within(5, fails()))

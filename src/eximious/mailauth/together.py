"""Several questions at the same time."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any


async def together(coroutines: list[Coroutine[Any, Any, None]]) -> None:
    """Run them at the same time; a single one costs no task. Raises what the first that fails raises."""
    if len(coroutines) == 1:
        await coroutines[0]
    elif coroutines:
        import asyncio

        await asyncio.gather(*coroutines)

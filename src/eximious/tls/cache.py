"""Contexts that are kept: as long as they are asked for with the same parameters, and their files do not change."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from eximious.tls.context import Context

ROOM: Final = 100  # contexts

T = TypeVar("T", bound=Context)
_Stamps = tuple[tuple[int, int, int] | None, ...]


class ContextCache:
    """The contexts of one process, the least recently used of which makes room."""

    __slots__ = ("_contexts",)

    def __init__(self) -> None:
        self._contexts: OrderedDict[Any, tuple[_Stamps, Context]] = OrderedDict()

    def get(self, make: Callable[..., T], files: Iterable[str], **parameters: Any) -> T:
        """What ``make(**parameters)`` gives, made anew if it is not known or one of `files` has changed."""
        key = (make, tuple(sorted(parameters.items())))
        stamps = tuple(_stamp(path) for path in files)
        known = self._contexts.get(key)
        if known is not None and known[0] == stamps:
            self._contexts.move_to_end(key)
            return known[1]  # type: ignore[return-value]
        context = make(**parameters)
        self._contexts[key] = (stamps, context)
        self._contexts.move_to_end(key)
        if len(self._contexts) > ROOM:
            self._contexts.popitem(last=False)
        return context


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size

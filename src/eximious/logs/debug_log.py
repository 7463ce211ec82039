"""``control = debug``: a debugging log of its own for some messages, perhaps in memory until something happens.

The log belongs to a context: `start` opens it and makes it the context's `trace`, `stop` ends that. Whoever ends the
work of a context (a session, a delivery) calls `leave`. A message remembers the name and the categories of its log, so
that its deliveries write to the same file (`resume`).
"""

from __future__ import annotations

import importlib
import os
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.logs.file import LogFile
    from eximious.logs.log import Logs

FACT: Final = "debug_log"  # under which a context keeps its log
LOG: Final = "debug"  # as others are "main" or "reject"
NAME: Final = "debuglog"  # with the tag after it, as the spool has it
LARGEST_BUFFER: Final = 1024 * 1024  # octets that may wait for a trigger


class DebugLog:
    """One such log. With `room`, its last octets wait in memory until `trigger` is called."""

    __slots__ = ("_held", "_logs", "_room", "_size", "file", "is_held", "on_panic", "previous")

    def __init__(self, logs: Logs, file: LogFile, room: int = 0, *, on_panic: bool = False) -> None:
        self._logs = logs
        self.file = file
        self._room = min(room, LARGEST_BUFFER)
        self.is_held = room > 0
        self.on_panic = on_panic  # an entry in the panic log is a trigger
        self._held: deque[str] = deque()
        self._size = 0
        self.previous: Any = None  # the context's trace before
        if on_panic:
            logs.panic_watchers.append(self.trigger)

    def write(self, text: str) -> None:
        """Add a line. A file that cannot be written is nobody's concern but the main log's."""
        if self.is_held:
            self._hold(text)
            return
        try:
            self.file.write(text.encode("latin-1", "replace"))
        except OSError as error:
            self._logs.main(f"cannot write debug log {self.file.path}: {error.strerror}")
            self.is_held, self._room = True, 1  # keep quiet from now on

    def _hold(self, text: str) -> None:
        self._held.append(text)
        self._size += len(text)
        while self._size > self._room and self._held:
            self._size -= len(self._held.popleft())

    def trigger(self) -> None:
        """Something has happened: what waits is written, and what comes is written at once."""
        if not self.is_held:
            return
        self.is_held = False
        held = "".join(self._held)
        self._held.clear()
        self._size = 0
        if held:
            self.write(held)

    def close(self) -> None:
        """Write no more. What still waits for a trigger is forgotten."""
        with suppress(ValueError):
            self._logs.panic_watchers.remove(self.trigger)
        self._held.clear()
        self._size = 0
        self.file.close()


def start(context: Context, tag: str, selectors: str, room: int, *, on_panic: bool) -> None:
    """Begin to log what the selectors (as after ``-d``) choose. Raises ValueError for selectors that are none."""
    categories = importlib.import_module("eximious.exim.debug")
    chosen = categories.parse(selectors)
    logs = context.services.logs
    if "/" in tag:
        logs.panic(f"debug tag may not contain a '/' in: {tag}")
        return
    facts = context.message.facts
    facts["debuglog_name"] = NAME + tag
    facts["debug_selector"] = f"0x{_mask(chosen, categories.CATEGORIES):x}"
    _open(context, tag, chosen, room, on_panic=on_panic)


def resume(context: Context) -> None:
    """Go on with the log that the message was given when it was received."""
    facts = context.message.facts
    name = facts.get("debuglog_name", "")
    if not name.startswith(NAME) or "/" in name:
        return
    categories = importlib.import_module("eximious.exim.debug")
    try:
        mask = int(facts.get("debug_selector") or "0", 16)
    except ValueError:
        return
    chosen = {one for number, one in enumerate(categories.CATEGORIES) if mask >> number & 1}
    _open(context, name.removeprefix(NAME), chosen, 0, on_panic=False)


def stop(context: Context, *, removes: bool = False) -> None:
    """End the context's log, if it has one, and remove its file if that is wanted."""
    log: DebugLog | None = context.facts.pop(FACT, None)
    context.message.facts.pop("debuglog_name", None)
    context.message.facts.pop("debug_selector", None)
    if log is not None:
        log.write(f"debug terminated by {'kill' if removes else 'stop'}\n")
        _end(context, log)
        if removes:
            with suppress(OSError):
                os.unlink(log.file.path)


def leave(context: Context) -> None:
    """The context's work is done: close its log. Its message keeps it."""
    log: DebugLog | None = context.facts.pop(FACT, None)
    if log is not None:
        _end(context, log)


def trigger(context: Context) -> None:
    """``trigger=now``."""
    log: DebugLog | None = context.facts.get(FACT)
    if log is not None:
        log.trigger()


def _open(context: Context, tag: str, chosen: Any, room: int, *, on_panic: bool) -> None:
    file = context.services.logs.side_file(LOG, tag)
    if file is None:  # logs go to syslog only
        return
    leave(context)
    log = DebugLog(context.services.logs, file, room, on_panic=on_panic)
    log.previous = context.trace
    context.facts[FACT] = log
    context.trace = importlib.import_module("eximious.exim.trace").Trace(chosen, log.write)


def _end(context: Context, log: DebugLog) -> None:
    context.trace = log.previous
    log.close()


def _mask(chosen: Any, categories: tuple[str, ...]) -> int:
    return sum(1 << number for number, one in enumerate(categories) if one in chosen)

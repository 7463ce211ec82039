"""The main log, the reject log and the panic log, in Exim's format (chapter "Log files").

Each entry is one line: time, perhaps the process, the message's id, and what happened. A log that cannot be written
never stops the mail: the entry goes to the panic log, to the system log or to standard error instead.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from eximious import waiting
from eximious.logs import selector
from eximious.logs.destination import Destinations, file_name
from eximious.logs.fields import Fields
from eximious.logs.file import LogFile
from eximious.logs.printing import entry
from eximious.logs.syslog import CRITICAL, PRIORITIES, Syslog
from eximious.logs.timestamp import Timestamps

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration

MAIN: Final = "main"
REJECT: Final = "reject"
PANIC: Final = "panic"

LONGEST: Final = 8192  # characters of one entry; the rest is cut off
RESERVE: Final = 100  # characters of an entry that are kept free for the mark that something was cut off
HELD: Final = 64 * 1024  # characters that may wait for the end of the event loop's turn


class Logs:
    """The logs of one process."""

    def __init__(
        self,
        destinations: Destinations,
        selected: frozenset[str] = selector.DEFAULT,
        *,
        uid: int = -1,
        gid: int = -1,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        log_timezone: bool = False,
    ) -> None:
        self.destinations = destinations
        self.selected = selected  # names of log_selector that are on
        self.fields = Fields(selected)
        self.write_rejectlog = True
        self.syslog_timestamp = True
        self.syslog_pid = True
        self.syslog_duplication = True
        self.syslog = Syslog()
        self.to_stderr: Callable[[str], None] | None = _to_stderr  # for panics; None in a daemon that has no stderr
        self.panic_watchers: list[Callable[[], None]] = []  # called after each entry of the panic log
        self.verbose: Callable[[str], object] | None = None  # shown what is logged, for -v and debugging
        self._uid = uid
        self._gid = gid
        self._clock = clock
        self._timestamps = Timestamps(now, "millisec" in selected, log_timezone)
        self._complaint = ""
        if destinations.has_surplus:
            self._complaint = f"More than one path given in log_file_path: using {destinations.path}"
        self._date = ""
        self._files: dict[str, LogFile] = {}
        self._held: dict[str, list[str]] = {}
        self._held_size = 0

    @classmethod
    def from_config(cls, config: Configuration) -> Logs:
        """The logs that a configuration describes."""
        from eximious.logs.settings import logs

        return logs(config.main)

    # --- what others call -------------------------------------------------------------------------------------------

    def main(self, text: str, message_id: str = "") -> None:
        """Write to the main log."""
        self.write((MAIN,), text, message_id)

    def reject(self, text: str, message_id: str = "", details: str = "") -> None:
        """Write to the main and the reject log; `details` (see `logs.message.rejected_header`) to the latter only."""
        self.write((MAIN, REJECT), text, message_id, details)

    def reject_selected(self, selector: str, text: str, message_id: str = "", details: str = "") -> None:
        """Write to the reject log, and to the main log if `selector` is on."""
        logs = (MAIN, REJECT) if selector in self.selected else (REJECT,)
        self.write(logs, text, message_id, details)

    def panic(self, text: str, message_id: str = "") -> None:
        """Write to the main and the panic log, and to standard error."""
        self.write((MAIN, PANIC), text, message_id)

    def write(self, logs: Iterable[str], text: str, message_id: str = "", details: str = "") -> None:
        """Write an entry to any of the logs.

        Control characters are escaped; a newline only may stand before white space, where an entry goes on. Whatever
        comes from outside should have gone through `printing` before.
        """
        if self._complaint:
            complaint, self._complaint = self._complaint, ""
            self.panic(complaint)
        chosen = [log for log in logs if log != REJECT or self.write_rejectlog]
        text = entry(text if len(text) <= LONGEST else text[:LONGEST])
        if self.verbose is not None:
            self._show(chosen, text)
        stamp = self._timestamps.now()
        pid = f" [{os.getpid()}]" if "pid" in self.selected else ""
        prefix = f" {message_id} " if message_id else " "
        line = f"{stamp}{pid}{prefix}{text}\n"
        details = _shortened(details, LONGEST - RESERVE - len(line))
        if self.destinations.path is not None:
            for log in chosen:
                self._to_file(log, f"{line}{details}" if log == REJECT else line)
        if self.destinations.syslog:
            plain = f"{stamp if self.syslog_timestamp else ''}{pid if self.syslog_pid else ''}{prefix}{text}"
            self._to_syslog(chosen, plain.lstrip(" "), details)
        if PANIC in chosen:
            if self.to_stderr is not None:
                self.to_stderr(line)
            for watcher in tuple(self.panic_watchers):
                watcher()

    def stamp(self) -> str:
        """The present time as entries begin with it."""
        return self._timestamps.now()

    def side_file(self, log: str, suffix: str = "") -> LogFile | None:
        """A file beside the logs, such as the ``debug`` log; None if there is no such place."""
        if self.destinations.path is None:
            return None
        path = file_name(self.destinations.path, log, self._timestamps.date()) + suffix
        return LogFile(path, self._uid, self._gid, self._clock)

    def flush(self) -> None:
        """Write what waits for the end of the event loop's turn."""
        held, self._held, self._held_size = self._held, {}, 0
        for log, lines in held.items():
            self._write_file(log, "".join(lines))

    def close(self) -> None:
        """Write everything and close the files."""
        self.flush()
        for file in self._files.values():
            file.close()
        self._files.clear()
        self.syslog.close()

    # --- files ------------------------------------------------------------------------------------------------------

    def _to_file(self, log: str, line: str) -> None:
        if not waiting.on_loop():
            if self._held:
                self.flush()
            self._write_file(log, line)
            return
        if not self._held:
            import asyncio

            asyncio.get_running_loop().call_soon(self.flush)
        self._held.setdefault(log, []).append(line)
        self._held_size += len(line)
        if self._held_size > HELD:
            self.flush()

    def _write_file(self, log: str, text: str) -> None:
        file = self._file(log)
        try:
            file.write(text.encode("latin-1", "replace"))
        except OSError as error:
            self._failed(log, file.path, error, text)

    def _file(self, log: str) -> LogFile:
        assert self.destinations.path is not None
        date = self._timestamps.date() if "%" in self.destinations.path.replace("%s", "") else ""
        if date != self._date:
            for old in self._files.values():
                old.close()
            self._files.clear()
            self._date = date
        file = self._files.get(log)
        if file is None:
            path = file_name(self.destinations.path, log, date)
            file = self._files[log] = LogFile(path, self._uid, self._gid, self._clock)
        return file

    def _failed(self, log: str, path: str, error: OSError, text: str) -> None:
        """A log could not be written: tell whoever can still be told, and go on."""
        why = f'Cannot open {log} log file "{path}": {error.strerror}: euid={os.geteuid()} egid={os.getegid()}'
        line = f"{self._timestamps.now()} {why}\n"
        if log != PANIC:
            self._write_file(PANIC, line + text)
        else:
            for lost in (line + text).splitlines():
                self.syslog.write(CRITICAL, lost)
        if self.to_stderr is not None:
            self.to_stderr(line + text)

    # --- elsewhere --------------------------------------------------------------------------------------------------

    def _to_syslog(self, chosen: list[str], text: str, details: str) -> None:
        if not self.syslog_duplication and len(chosen) > 1:
            chosen = [PANIC] if PANIC in chosen else [REJECT]
        for log in chosen:
            self.syslog.write(PRIORITIES[log], f"{text}\n{details}" if log == REJECT and details else text)

    def _show(self, chosen: list[str], text: str) -> None:
        assert self.verbose is not None
        names = " ".join(log.upper() for log in (MAIN, PANIC, REJECT) if log in chosen)
        body = text.replace("\n", "\n  ")
        self.verbose(f"LOG: {names}\n  {body}\n")


def _shortened(details: str, room: int) -> str:
    """As many whole lines as there is room for, and a mark if these are not all."""
    if len(details) <= room:
        return details
    end = details.rfind("\n", 0, max(room, 0)) + 1
    return f"{details[:end]}*** truncated ***\n"


def _to_stderr(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return  # there is nobody left to tell


__all__ = ["MAIN", "PANIC", "REJECT", "Logs"]

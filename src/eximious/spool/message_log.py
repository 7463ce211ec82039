"""The log that each message has of its own, in ``msglog/``, until it is finished."""

from __future__ import annotations

import contextlib
import os

from eximious.ownership import open_existing
from eximious.spool.errors import spool_error
from eximious.spool.files import write_all
from eximious.spool.header_variables import one_line
from eximious.spool.layout import Layout


class MessageLogs:
    """Message logs of one spool. `enabled` is the option message_logs, `preserve` preserve_message_logs."""

    __slots__ = ("_layout", "enabled", "preserve")

    def __init__(self, layout: Layout, enabled: bool = True, preserve: bool = False) -> None:
        self._layout = layout
        self.enabled = enabled
        self.preserve = preserve

    def append(self, message_id: str, queue_name: str, *lines: str) -> None:
        """Append lines, given without their newlines. A failure is the caller's to log: SpoolError."""
        if not self.enabled or not lines:
            return
        path = f"{self._layout.folder('msglog', message_id, queue_name)}/{message_id}"
        try:
            fd = self._open(path)
            try:
                write_all(fd, "".join(f"{one_line(line)}\n" for line in lines).encode("latin-1", "replace"))
            finally:
                os.close(fd)
        except OSError as error:
            raise spool_error(f"Couldn't open message log {path}", error) from error

    def _open(self, path: str) -> int:
        flags = os.O_WRONLY | os.O_APPEND
        with contextlib.suppress(FileNotFoundError):
            return open_existing(path, flags)
        with contextlib.suppress(FileExistsError):
            return self._layout.create(path)
        return open_existing(path, flags)

    def read(self, message_id: str, queue_name: str) -> str | None:
        """The whole log, or None if the message has none."""
        for folder in self._layout.folders("msglog", message_id, queue_name):
            try:
                fd = open_existing(f"{folder}/{message_id}", os.O_RDONLY)
                with open(fd, encoding="latin-1", newline="") as file:
                    return file.read()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise spool_error(f"cannot read {folder}/{message_id}", error) from error
        return None

    def finish(self, message_id: str, queue_name: str) -> None:
        """The message is finished: remove its log, or move it to ``msglog.OLD``."""
        for folder in self._layout.folders("msglog", message_id, queue_name):
            path = f"{folder}/{message_id}"
            try:
                if self.preserve and os.path.exists(path):
                    old = f"{self._layout.queue(queue_name)}/msglog.OLD"
                    self._layout.make_folder(old)
                    os.rename(path, f"{old}/{message_id}")
                else:
                    os.unlink(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise spool_error(f"failed to unlink {path}", error) from error

"""A message that this process alone works on."""

from __future__ import annotations

import os
from typing import Protocol

from eximious.ownership import open_existing
from eximious.spool import header_file
from eximious.spool.body import Body
from eximious.spool.errors import SpoolError, spool_error
from eximious.spool.files import remove_files, write_all, write_header
from eximious.spool.header_variables import one_line
from eximious.spool.layout import Layout, unlink
from eximious.spool.message import Message
from eximious.spool.message_log import MessageLogs


class Claimed(Protocol):
    """A claim: nobody else can deliver or change the message until it is released or removed."""

    message: Message

    @property
    def body(self) -> Body:
        """The message's body."""

    def record_done(self, address: str) -> None:
        """Remember, whatever happens next, that the address is done with. It joins `message.nonrecipients`."""

    def log(self, line: str) -> None:
        """Append to the message's own log: a line without its newline."""

    def update(self) -> None:
        """Store the state that the message has now, durably. The claim stays."""

    def remove(self) -> None:
        """The message is finished: remove it. Ends the claim."""

    def release(self) -> None:
        """End the claim. What was not stored with `update` or `record_done` is forgotten."""


class ClaimedFiles:
    """A claim on a message that is in spool files: the lock on its -D file.

    That file is the body's, or `lock_fd` if the body is in memory; either is closed when the claim ends.
    """

    __slots__ = ("_body", "_folder", "_journal", "_layout", "_lock_fd", "_logs", "message")

    def __init__(
        self, layout: Layout, logs: MessageLogs, folder: str, message: Message, body: Body, lock_fd: int = -1
    ) -> None:
        self._layout = layout
        self._logs = logs
        self._folder = folder
        self._body = body
        self._lock_fd = lock_fd
        self._journal = -1  # the open -J file
        self.message = message

    @property
    def body(self) -> Body:
        """The message's body."""
        return self._body

    def record_done(self, address: str) -> None:
        """Append to the -J file. Raises SpoolError; the address is then in `nonrecipients` all the same."""
        address = one_line(address)
        self.message.nonrecipients.add(address)
        path = f"{self._folder}/{self.message.id}-J"
        try:
            if self._journal < 0:
                self._journal = _open_journal(self._layout, path)
            write_all(self._journal, f"{address}\n".encode("latin-1", "replace"))
        except OSError as error:
            raise spool_error(f"cannot write {path}", error) from error

    def log(self, line: str) -> None:
        """Append to the message's own log."""
        self._logs.append(self.message.id, self.message.queue_name, line)

    def update(self) -> None:
        """Rewrite the -H file; what the -J file said is then in it."""
        write_header(self._layout, self._folder, self.message.id, header_file.dump(self.message))
        self._close_journal()
        unlink(f"{self._folder}/{self.message.id}-J")

    def remove(self) -> None:
        """Remove all files of the message."""
        try:
            remove_files(self._folder, self.message.id)
            self._logs.finish(self.message.id, self.message.queue_name)
        finally:
            self.release()

    def release(self) -> None:
        """Unlock."""
        self._close_journal()
        self._body.close()
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _close_journal(self) -> None:
        if self._journal >= 0:
            os.close(self._journal)
            self._journal = -1


def _open_journal(layout: Layout, path: str) -> int:
    try:
        return layout.create(path)
    except FileExistsError:
        return open_existing(path, os.O_WRONLY | os.O_APPEND)


__all__ = ["Claimed", "ClaimedFiles", "SpoolError"]

"""The queue: messages that this host has taken responsibility for.

`QueueStore` keeps them in Exim's spool directory. Whoever delivers claims a message, and alone works on it meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from eximious import waiting
from eximious.spool import header_file
from eximious.spool.body import Body
from eximious.spool.claimed import Claimed, ClaimedFiles
from eximious.spool.errors import SpoolError, SpoolFormatError
from eximious.spool.files import (
    attach_body,
    new_body_file,
    open_locked,
    read_journal,
    read_message,
    remove_files,
    write_pair,
)
from eximious.spool.layout import Layout
from eximious.spool.message import Message
from eximious.spool.message_id import is_message_id
from eximious.spool.message_log import MessageLogs

if TYPE_CHECKING:
    import asyncio

    from eximious.config.configuration import Configuration
    from eximious.spool.journal.journal import Journal


class QueueStore:
    """The messages of one spool directory."""

    def __init__(self, layout: Layout, logs: MessageLogs | None = None) -> None:
        self.layout = layout
        self.logs = logs or MessageLogs(layout)
        self.uses_journal = True  # the option spool_journal
        self.journal: Journal | None = None

    @classmethod
    def from_config(cls, config: Configuration) -> QueueStore:
        """The queue that a configuration describes."""
        from eximious.spool.settings import queue_store

        return queue_store(config.main)

    # --- the journal ------------------------------------------------------------------------------------------------

    def open_journal(self, loop: asyncio.AbstractEventLoop | None, report: Callable[[str], None]) -> None:
        """Accept messages into a journal from now on, unless the option is off: for a process that delivers them.

        `report` gets lines for the panic log.
        """
        if not self.uses_journal:
            return
        from eximious.spool.journal.journal import Journal

        self.journal = Journal(self.layout, self.logs, loop, report=report)

    def close_journal(self) -> None:
        """Turn what is in the journal into spool files, and do without a journal from now on."""
        if self.journal is not None:
            self.journal.close()
            self.journal = None

    def spill(self, message_id: str | None = None) -> None:
        """Have one message, or all, of this process's journal in spool files. Raises SpoolError if one cannot be."""
        if self.journal is not None:
            failed = self.journal.spill_all() if message_id is None else self.journal.spill_one(message_id)
            for error in failed.values():
                raise error

    def recover(self) -> list[str]:
        """Turn what processes that died had in their journals into spool files; gives the ids. Raises SpoolError.

        To be called before the daemon's workers start, after one has died, and before a command shows or changes the
        queue while no daemon runs.
        """
        if not os.path.isdir(f"{self.layout.directory}/journal"):
            return []
        from eximious.spool.journal.recovery import recover

        return recover(self.layout)

    # --- arriving ---------------------------------------------------------------------------------------------------

    def new_body(self, queue_name: str = "") -> Body:
        """An empty body that goes to a file in the spool when it grows too large for memory."""
        return Body(spill=lambda: new_body_file(self.layout, queue_name))

    def accept(self, message: Message, body: Body) -> None:
        """Take responsibility for a message, which has its id: durable when this returns. The body is the store's then.

        Raises SpoolError if that is impossible now; nothing is then left behind.
        """
        if not is_message_id(message.id):
            raise SpoolError(f'bad message id "{message.id}"')
        message.body = body
        message.body_size = body.size
        header = header_file.dump(message)
        if self.journal is not None and self.journal.accept(message, body, header):
            return
        waiting.in_thread(write_pair, self.layout, message.id, message.queue_name, body, header).unlock()
        message.body = None
        body.close()

    def log(self, message: Message, line: str) -> None:
        """Append to the message's own log, which for a message in the journal waits in memory. Raises SpoolError."""
        if self.journal is None or not self.journal.log_by_id(message.id, line):
            self.logs.append(message.id, message.queue_name, line)

    # --- working on a message ---------------------------------------------------------------------------------------

    def claim(self, message_id: str, queue_name: str = "") -> Claimed | None:
        """Begin to work on a message. None if there is none of that id, or somebody else works on it.

        Raises SpoolFormatError if its files cannot be understood, SpoolError if they cannot be read.
        """
        if not is_message_id(message_id):
            return None
        if self.journal is not None and message_id in self.journal:
            return self.journal.claim(message_id)
        locked = open_locked(self.layout, message_id, queue_name)
        if locked is None:
            return None
        folder, fd = locked
        try:
            message = read_message(f"{folder}/{message_id}-H", message_id, queue_name)
            is_wire_format = bool(message.facts.pop("spool_file_wireformat", False))
            body = Body.from_file(fd, len(message_id) + 3, is_wire_format)
            attach_body(message, body)
            message.nonrecipients |= read_journal(folder, message_id)
        except FileNotFoundError:
            os.close(fd)
            return None
        except SpoolError:
            os.close(fd)
            raise
        return ClaimedFiles(self.layout, self.logs, folder, message, body)

    def remove_malformed(self, message_id: str, queue_name: str = "") -> bool:
        """Remove a message whose files cannot be understood. False if somebody works on it. Raises SpoolError."""
        locked = open_locked(self.layout, message_id, queue_name)
        if locked is None:
            return False
        folder, fd = locked
        try:
            remove_files(folder, message_id)
            self.logs.finish(message_id, queue_name)
        finally:
            os.close(fd)
        return True

    # --- looking ----------------------------------------------------------------------------------------------------

    def list_ids(self, queue_name: str = "", *, in_order: bool = True) -> list[str]:
        """The ids of all messages of a queue: oldest first, or in a random order."""
        found = {message_id for folder in self.layout.ids(queue_name) for message_id in folder}
        if self.journal is not None:
            found.update(self.journal.ids(queue_name))
        ids = sorted(found)
        if not in_order:
            import random

            random.shuffle(ids)
        return ids

    def read(self, message_id: str, queue_name: str = "") -> Message | None:
        """The message as it is now, to look at: without a body, and without a claim. None if there is none."""
        if self.journal is not None and message_id in self.journal:
            return self.journal.read(message_id)
        path = self.layout.find(message_id, "-H", queue_name) if is_message_id(message_id) else None
        if path is None:
            return None
        try:
            message = read_message(path, message_id, queue_name)
        except FileNotFoundError:
            return None
        message.nonrecipients |= read_journal(os.path.dirname(path), message_id)
        return message


__all__ = ["QueueStore", "SpoolError", "SpoolFormatError"]

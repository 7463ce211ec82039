"""A journal on a loop, and messages for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from eximious import waiting
from eximious.spool.layout import Layout
from eximious.spool.message import Header, Message, Recipient
from eximious.spool.message_id import new_id
from eximious.spool.message_log import MessageLogs
from eximious.spool.store import QueueStore
from eximious.taint import Tainted


class Spool:
    """A spool directory of one process."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        layout = Layout(str(directory))
        self.store = QueueStore(layout, MessageLogs(layout))
        self.reports: list[str] = []

    def run(self, function: Callable[[], None]) -> None:
        """Call the function with an open journal, on a loop; the journal is left as it is then."""

        async def main() -> None:
            self.store.open_journal(asyncio.get_running_loop(), self.reports.append)
            await waiting.run(function)

        asyncio.run(main())

    def accept(self, text: bytes = b"body\n", queue_name: str = "") -> str:
        """Accept a message."""
        message = Message()
        message.id = new_id()
        message.queue_name = queue_name
        message.recipients = [Recipient(Tainted("a@b")), Recipient(Tainted("c@d"))]
        message.headers = [Header(Tainted("Subject: x\n"))]
        message.received_at = 1795559750.5
        body = self.store.new_body()
        body.append(text)
        self.store.accept(message, body)
        return message.id

    def files(self) -> list[str]:
        """All files, by their paths below the spool; segments without their names."""
        found = sorted(str(path.relative_to(self.directory)) for path in self.directory.rglob("*") if path.is_file())
        return ["segment" if name.startswith("journal/") else name for name in found]

    def after_a_crash(self) -> Spool:
        """The same directory, as a new process sees it when this one has died."""
        journal = self.store.journal
        if journal is not None:
            journal.abandon()
            self.store.journal = None
        return Spool(self.directory)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)

"""A place where messages are delivered: a configuration, a spool in a temporary folder, logs, hints in memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from eximious.config.load import load
from eximious.deliver.how import How
from eximious.deliver.local import ForkedJobs
from eximious.deliver.message import deliver
from eximious.hints.memory import MemoryHints
from eximious.services import Services
from eximious.spool.body import Body
from eximious.spool.message import Header, Message, Recipient
from eximious.spool.message_id import new_id

MAIN = """
primary_hostname = mx.example
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
exim_user = {uid}
exim_group = {gid}
{never}
message_logs = true
{main}
begin routers
{routers}
begin transports
{transports}
begin retry
{retry}
"""


class Submitted(NamedTuple):
    """A message that a delivery has given rise to."""

    id: str
    sender: str
    recipients: list[str]
    header: str
    body: str


class SameUserJobs(ForkedJobs):
    """Jobs are done by forked processes of the user who runs the tests."""

    def __init__(self) -> None:
        super().__init__(never=frozenset())


class Place:
    """One of them."""

    def __init__(self, folder: Path, *, main: str = "", routers: str, transports: str, retry: str = "") -> None:
        self.folder = folder
        file = folder / "exim.conf"
        text = MAIN.format(
            folder=folder,
            uid=os.getuid(),
            gid=os.getgid(),
            main=main,
            never="" if "never_users" in main else "never_users =",
            routers=routers,
            transports=transports,
            retry=retry,
        )
        file.write_text(text)
        self.config = load(str(file), {})
        self.services = Services(self.config)
        self.time = 1_700_000_000.0
        self.services.now = lambda: self.time
        self.services.local = SameUserJobs()
        self.services.logs.to_stderr = None
        self.services.__dict__["hints"] = MemoryHints(now=lambda: self.time)

    def queue(
        self, *recipients: str, sender: str = "s@sender.example", text: bytes = b"body\n", **attributes: Any
    ) -> str:
        """A message in the queue; its id."""
        message = Message()
        message.id = new_id(None)
        message.sender = sender
        message.received_at = self.time
        message.login = "tester"
        message.received_protocol = "smtp"
        for recipient in recipients:
            message.recipients.append(Recipient(recipient))
        message.headers = [Header("Received: here\n", "P"), Header("Subject: test\n")]
        for name, value in attributes.items():
            setattr(message, name, value)
        body = Body.of(text)
        message.body_size = body.size
        message.body_line_count = body.line_count
        message.size = sum(len(header.text) for header in message.headers) + 1 + body.size
        self.services.spool.accept(message, body)
        return message.id

    def deliver(self, message_id: str, **how: Any) -> str:
        """One attempt."""
        attempt = How()
        for name, value in how.items():
            setattr(attempt, name, value)
        ended = deliver(message_id, self.services, attempt)
        if self.services.connections is not None:
            self.services.connections.close()
        return ended

    def send(self, *recipients: str, **attributes: Any) -> str:
        """Queue a message and deliver it; its id."""
        message_id = self.queue(*recipients, **attributes)
        self.deliver(message_id)
        return message_id

    def log_lines(self) -> list[str]:
        """The main log, without times."""
        return [line[20:] for line in (self.folder / "mainlog").read_text(encoding="latin-1").splitlines()]

    @property
    def log(self) -> list[str]:
        """The main log, without times and ids; the folder is ``FOLDER``."""
        try:
            text = (self.folder / "mainlog").read_text(encoding="latin-1")
        except FileNotFoundError:
            return []
        return [line.split(" ", 3)[3].replace(str(self.folder), "FOLDER") for line in text.splitlines()]

    def submitted(self, *but: str) -> list[Submitted]:
        """The messages in the queue, except those."""
        found = []
        for message_id in sorted(self.services.spool.list_ids()):
            if message_id in but:
                continue
            claimed = self.services.spool.claim(message_id)
            assert claimed is not None
            message = claimed.message
            header = "".join(each.text for each in message.headers if each.kind not in ("*", "P", "I"))
            recipients = [str(recipient.address) for recipient in message.recipients]
            found.append(
                Submitted(message_id, message.sender, recipients, header, claimed.body.data().decode("latin-1"))
            )
            claimed.release()
        return found

    def close(self) -> None:
        """Clean up."""
        self.services.local.close()
        self.services.logs.close()

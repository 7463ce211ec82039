"""What it costs to accept messages into the spool: the journal, and pairs of files, without any SMTP.

    python bench/journal.py [--messages 20000] [--size 4096] [--sessions 20] [--directory DIR]

Every session accepts a message, claims it, records its recipient as done and removes it, then goes on to the next.
Prints CPU microseconds of the process for each message, messages a second, and messages for each sync.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable

import uvloop

from eximious import waiting
from eximious.spool.journal import segment
from eximious.spool.layout import Layout
from eximious.spool.message import Client, Header, Message, Recipient
from eximious.spool.message_id import new_id
from eximious.spool.store import QueueStore
from eximious.taint import Tainted

HEADERS = (
    "Received: from client.example ([192.0.2.1])\n\tby mail.example with esmtp (Eximious)\n\tid 1\n",
    "Subject: how fast is it\n",
    "From: a@b.example\n",
    "To: c@d.example\n",
    "Message-Id: <abc@def.example>\n",
    "Date: Tue, 24 Nov 2026 22:35:50 +0000\n",
)


def message(client: Client) -> Message:
    """A message such as a session makes."""
    made = Message(client)
    made.id = new_id()
    made.login = "mail"
    made.sender = Tainted("a@b.example")
    made.recipients = [Recipient(Tainted("c@d.example"))]
    made.headers = [Header(Tainted(text)) for text in HEADERS]
    made.received_at = time.time()
    made.received_protocol = "esmtp"
    return made


class Bench:
    """The sessions of one run."""

    def __init__(self, store: QueueStore, messages: int, size: int) -> None:
        self.store = store
        self.left = messages
        self.line = b"x" * 79 + b"\n"
        self.lines = size // 80

    def session(self) -> None:
        """One client that sends message after message."""
        client = Client()
        client.host_address, client.host_port = "192.0.2.1", 4711
        client.helo_name = Tainted("client.example")
        data = self.line * self.lines
        while self.left > 0:
            self.left -= 1
            arriving = message(client)
            body = self.store.new_body()
            body.append(data)
            self.store.accept(arriving, body)
            claimed = self.store.claim(arriving.id)
            assert claimed is not None
            claimed.record_done("c@d.example")
            claimed.remove()


async def run(bench: Bench, sessions: int, journal: bool) -> None:
    """All sessions, until no message is left."""
    if journal:
        bench.store.open_journal(asyncio.get_running_loop(), print)
    await asyncio.gather(*(waiting.run(bench.session) for _ in range(sessions)))
    await waiting.run(bench.store.close_journal)


def measure(name: str, bench: Bench, runner: Callable[[], None]) -> None:
    """Print what a run cost."""
    messages = bench.left
    syncs = 0
    append = segment.Segment.append

    def counted(self: segment.Segment, pieces: list[bytes], sync: bool) -> None:
        nonlocal syncs
        syncs += sync
        append(self, pieces, sync)

    segment.Segment.append = counted  # type: ignore[method-assign]
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    runner()
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    segment.Segment.append = append  # type: ignore[method-assign]
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    line = f"{name:8} {(user + system) / messages * 1e6:7.0f} us CPU a message ({user / messages * 1e6:.0f} user, "
    line += f"{system / messages * 1e6:.0f} system), {messages / seconds:7.0f} messages a second"
    print(line + (f", {messages / syncs:.1f} messages a sync" if syncs else ""))


def main() -> None:
    """Measure the journal, then files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20000)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--directory", default=None, help="a directory on the file system to measure")
    options = parser.parse_args()
    spool = tempfile.mkdtemp(prefix="journal-bench-", dir=options.directory or os.getcwd())
    try:
        for name, journal, part in (("journal", True, 1), ("files", False, 20)):
            store = QueueStore(Layout(spool))
            bench = Bench(store, options.messages // part, options.size)
            measure(name, bench, lambda b=bench, j=journal: uvloop.run(run(b, options.sessions, j)))  # type: ignore[misc]
    finally:
        shutil.rmtree(spool)


if __name__ == "__main__":
    main()

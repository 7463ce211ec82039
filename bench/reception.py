"""What the program itself costs a message: session, policy, storing and a delivery to nowhere, without any network.

    python bench/reception.py [--messages 2000] [--per-connection 1] [--profile]

One process, a stream in memory, a spool in memory-backed files without syncing: what is left is Python. The clock is CPU
time; the least of five rounds is printed. --profile shows where it goes.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import tempfile
import time
from pathlib import Path

from load import message
from servers import EXIM_CONFIGURATION, ROUTERS

from eximious.config.load import load
from eximious.context import Context
from eximious.deliver.how import How
from eximious.deliver.message import deliver
from eximious.net.memory import MemoryStream
from eximious.net.stream import Endpoint
from eximious.receive.session import Session
from eximious.services import Services


class Turns(MemoryStream):
    """A client that waits for each reply."""

    def has_input(self) -> bool:
        return False


class Deliveries:
    """Remembers what is to be delivered."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    def start(self, message_id: str, queue_name: str = "", *, no_remote: bool = False) -> None:
        self.waiting.append(message_id)


def services(folder: Path) -> Services:
    """What a worker has."""
    values = {"SPOOL": folder / "spool", "LOGS": folder / "log", "PORT": 25, "USER_AND_GROUP": ""}
    text = EXIM_CONFIGURATION.replace("ROUTERS", ROUTERS["discard"])
    for key, value in values.items():
        text = text.replace(key, str(value))
    text = f"exim_user = {os.getuid()}\nexim_group = {os.getgid()}\nmessage_logs = false\n{text}"
    for name in ("spool", "log"):
        (folder / name).mkdir()
    path = folder / "exim.conf"
    path.write_text(text)
    made = Services(load(str(path), {}))
    made.spool.open_journal(None, print)
    made.admin = True
    return made


def connection(made: Services, messages: int, size: int) -> None:
    """One client with some messages, and their deliveries."""
    pieces = [b"EHLO load.example\r\n"]
    for number in range(messages):
        pieces += [b"MAIL FROM:<sender@load.example>\r\n", b"RCPT TO:<user%d@bench.test>\r\n" % (number % 10)]
        pieces += [b"DATA\r\n", message(size)]
    pieces.append(b"QUIT\r\n")
    stream = Turns(*pieces, peer=Endpoint("127.0.0.1", 40000), local=Endpoint("127.0.0.1", 25))
    context = Context(made.config, made)
    context.client.host_address, context.client.host_port = "127.0.0.1", 40000
    context.client.interface_address, context.client.interface_port = "127.0.0.1", 25
    Session(stream, context).run()
    accepted = stream.sent.count(b"250 OK id=")
    if accepted != messages:
        raise SystemExit(f"{accepted} of {messages} messages were accepted:\n{stream.sent.decode('latin-1')}")
    deliveries = made.deliveries
    for message_id in deliveries.waiting:
        deliver(message_id, made, How())
    deliveries.waiting.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--per-connection", type=int, default=1)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    os.fdatasync = lambda fd: None  # the disk is not what is measured
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        made = services(Path(folder))
        made.deliveries = Deliveries()

        def work(messages: int) -> None:
            for _ in range(messages // arguments.per_connection):
                connection(made, arguments.per_connection, arguments.size)

        work(arguments.per_connection * 2)
        if arguments.profile:
            profile = cProfile.Profile()
            profile.runcall(work, arguments.messages)
            pstats.Stats(profile).sort_stats("tottime").print_stats(60)
            return
        rounds = []
        for _ in range(5):
            begin = time.process_time()
            work(arguments.messages)
            rounds.append((time.process_time() - begin) / arguments.messages * 1e6)
        print(
            f"{min(rounds):.0f} microseconds of CPU a message ({max(rounds):.0f} in the slowest of {len(rounds)} rounds)"
        )


if __name__ == "__main__":
    main()

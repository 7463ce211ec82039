"""A client under load: some sessions at once, some messages a connection, and how long it took.

    python bench/load.py --port 2525 --messages 1000 [--sessions 20] [--per-connection 1] [--size 4096]

Prints one JSON object: messages accepted, refused, seconds. Every command waits for its reply, as most clients do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import cast

import uvloop


class Counter:
    """How many messages are still to be sent, and what became of those that were."""

    def __init__(self, messages: int) -> None:
        self.left = messages
        self.started = 0
        self.accepted = 0
        self.refused: list[str] = []


class Session(asyncio.Protocol):
    """One connection: EHLO, then messages one after another, then QUIT."""

    def __init__(self, counter: Counter, messages: int, body: bytes, users: int, domain: str) -> None:
        self.counter = counter
        self.messages = messages
        self.body = body
        self.users = users
        self.domain = domain
        self.step = "banner"
        self.buffer = b""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n" in self.buffer:
            line, _, self.buffer = self.buffer.partition(b"\r\n")
            if line[3:4] != b"-":
                self.reply(line)

    def reply(self, line: bytes) -> None:
        step = self.step
        if step == "quit":
            self.transport.close()
        elif line[:1] not in b"23" or not line:
            self.counter.refused.append(f"{step}: {line.decode('latin-1')}")
            self.transport.close()
        elif step == "banner":
            self.send("ehlo", b"EHLO load.example\r\n")
        elif step == "mail":
            number = self.counter.started
            self.counter.started += 1
            self.send("rcpt", b"RCPT TO:<user%d@%s>\r\n" % (number % self.users, self.domain.encode()))
        elif step == "rcpt":
            self.send("data", b"DATA\r\n")
        elif step == "data":
            self.send("dot", self.body)
        else:  # after EHLO or a message
            self.counter.accepted += step == "dot"
            if self.messages == 0:
                self.send("quit", b"QUIT\r\n")
            else:
                self.messages -= 1
                self.send("mail", b"MAIL FROM:<sender@load.example>\r\n")

    def send(self, step: str, data: bytes) -> None:
        self.step = step
        self.transport.write(data)


def message(size: int) -> bytes:
    """A message of that many octets with an ordinary header, and the final dot."""
    header = (
        b"From: Sender <sender@load.example>\r\nTo: User <user@load.example>\r\nSubject: A message under load\r\n"
        b"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
    )
    line = b"The quick brown fox jumps over the lazy dog, and nothing else happens.\r\n"
    return header + line * max(1, (size - len(header)) // len(line)) + b".\r\n"


async def run(arguments: argparse.Namespace) -> dict[str, object]:
    counter = Counter(arguments.messages)
    body = message(arguments.size)
    loop = asyncio.get_running_loop()

    async def sessions() -> None:
        while counter.left > 0:
            share = min(arguments.per_connection, counter.left)
            counter.left -= share
            _, session = await loop.create_connection(
                lambda share=share: Session(counter, share, body, arguments.users, arguments.domain),  # type: ignore[misc]
                arguments.host,
                arguments.port,
            )
            await session.closed

    begin = time.monotonic()
    await asyncio.gather(*(sessions() for _ in range(arguments.sessions)))
    return {
        "accepted": counter.accepted,
        "refused": len(counter.refused),
        "first_refusals": counter.refused[:3],
        "seconds": time.monotonic() - begin,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--per-connection", type=int, default=1)
    parser.add_argument("--size", type=int, default=4096, help="octets a message")
    parser.add_argument("--users", type=int, default=10, help="recipients are user0 ... at the domain, in turn")
    parser.add_argument("--domain", default="bench.test")
    print(json.dumps(uvloop.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()

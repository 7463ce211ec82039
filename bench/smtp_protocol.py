"""CPU time of the SMTP protocol alone, a message: parsing commands and reading a text of 4 KB, nothing else.

    python bench/smtp_protocol.py [rounds]

The aim is less than 60 microseconds a message.
"""

from __future__ import annotations

import sys
import time

from eximious.smtp.command import Command
from eximious.smtp.server import ServerProtocol

HEADERS = b"".join(b"Header-%d: something like this and that, so long\r\n" % n for n in range(12))
BODY = (b"x" * 72 + b"\r\n") * 46
CONVERSATION = (
    b"MAIL FROM:<sender@example.org> SIZE=4000 BODY=8BITMIME\r\n",
    b"RCPT TO:<recipient@example.com>\r\n",
    b"DATA\r\n",
    HEADERS + b"\r\n" + BODY + b".\r\n",
)


def one_message(protocol: ServerProtocol) -> int:
    """Take one message in; its body's size."""
    for octets in CONVERSATION[:3]:
        protocol.receive(octets)
        command = protocol.next_command()
        assert isinstance(command, Command), command
        protocol.succeeded(command)
    reader = protocol.begin_data()
    reader.feed(CONVERSATION[3])
    size = len(reader.take())
    assert reader.is_complete
    assert reader.headers is not None
    assert len(reader.headers) == 12
    protocol.end_data(reader)
    return size


def main() -> None:
    """Print the figure."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    protocol = ServerProtocol()
    protocol.receive(b"EHLO client.example\r\n")
    hello = protocol.next_command()
    assert isinstance(hello, Command)
    protocol.succeeded(hello)
    best = min(_timed(protocol, rounds // 5) for _ in range(5))
    size = sum(map(len, CONVERSATION))
    print(f"{best * 1e6:.1f} microseconds of CPU a message of {size} octets")


def _timed(protocol: ServerProtocol, rounds: int) -> float:
    start = time.process_time()
    for _ in range(rounds):
        one_message(protocol)
    return (time.process_time() - start) / rounds


if __name__ == "__main__":
    main()

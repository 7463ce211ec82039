"""Killed at any moment, the server loses nothing that it has acknowledged."""

from __future__ import annotations

import contextlib
import random
import re
import smtplib
import socket
import threading
import time
from collections import Counter

import pytest

from tests.end_to_end.configurations import MAILDIR
from tests.end_to_end.server import Server, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MESSAGES = 2000
KILLS = 10
SENDERS = 8


class Load:
    """Clients that send numbered messages until all have been acknowledged."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.acknowledged: set[int] = set()
        self._lock = threading.Lock()
        self._next = iter(range(MESSAGES))
        self.threads = [threading.Thread(target=self._send_all) for _ in range(SENDERS)]

    def _send_all(self) -> None:
        while True:
            with self._lock:
                number = next(self._next, None)
            if number is None:
                return
            while number not in self.acknowledged:
                self._send(number)

    def _send(self, number: int) -> None:
        """Send one message; it counts only if the answer to its end came."""
        text = f"Subject: number {number}\n\n" + "x" * random.randrange(200, 6000) + "\n"
        try:
            with self.server.client() as client:
                client.sendmail("sender@far.test", ["alice@mail.test"], text)
                with self._lock:
                    self.acknowledged.add(number)
        except (OSError, smtplib.SMTPException):
            time.sleep(0.02)  # it is being killed, or started


def test_every_message_answered_with_250_arrives() -> None:
    chance = random.Random()
    rest = "smtp_accept_max = 0\n" + MAILDIR.replace("{away}", "1")
    with running(rest, "-q1s") as server:
        (server.folder / "users").write_text("alice: alice\n")
        load = Load(server)
        for thread in load.threads:
            thread.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.2, 1.2))
            server.kill()
            server.start("-q1s")
        for thread in load.threads:
            thread.join()
        server.wait_for(lambda: server.exim("-bpc") == "0\n", "an empty queue")
        arrived = Counter(_number(text) for text in server.mail("alice"))
        missing = load.acknowledged - arrived.keys()
        assert not missing, (missing, server.log()[-3000:])
        twice = {number: count for number, count in arrived.items() if count > 1}
        # A message whose answer was lost is sent again; one whose delivery was cut short is delivered again.
        assert len(twice) <= KILLS * SENDERS * 3, twice
        assert (server.spool / "input").is_dir()
        with contextlib.suppress(FileNotFoundError):
            assert "Traceback" not in (server.spool / "log" / "paniclog").read_text()


def _number(text: str) -> int:
    found = re.search(r"^Subject: number (\d+)$", text, re.MULTILINE)
    assert found is not None, text[:300]
    return int(found[1])


def test_a_socket_that_is_cut_off_harms_nobody() -> None:
    with running(MAILDIR.replace("{away}", "1")) as server:
        (server.folder / "users").write_text("alice: alice\n")
        for octets in (b"", b"EHLO x\r\nMAIL FROM:<a@b.test>\r\n", b"\0" * 10000, b"EHLO " + b"x" * 100000):
            with socket.create_connection(("127.0.0.1", server.port)) as connection, contextlib.suppress(OSError):
                connection.sendall(octets)
        server.send("alice@mail.test")
        server.wait_for(lambda: server.mail("alice"), "delivery")

"""Entries in the system log."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from eximious.logs.syslog import Syslog, pieces


class Daemon:
    """A syslog daemon that remembers."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)

    def entries(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(5000).decode("latin-1"))
            except BlockingIOError:
                return found


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path / "log")
    yield made
    made.socket.close()


def test_entry(daemon: Daemon) -> None:
    log = Syslog("exim", path=daemon.path)
    assert log.write(6, "hello")
    (entry,) = daemon.entries()
    assert entry.startswith("<22>")
    assert entry.endswith(f" exim[{os.getpid()}]: hello")
    log.close()


FACILITIES = [("mail", 2), ("local7", 23), ("user", 1), ("nonsense", 2)]


@pytest.mark.parametrize(("name", "number"), FACILITIES)
def test_facility_and_name(daemon: Daemon, name: str, number: int) -> None:
    log = Syslog("mta", name, with_pid=False, path=daemon.path)
    log.write(1, "x")
    (entry,) = daemon.entries()
    assert entry.startswith(f"<{number * 8 + 1}>")
    assert entry.endswith(" mta: x")
    log.close()


def test_a_daemon_that_is_started_again(tmp_path: Path) -> None:
    first = Daemon(tmp_path / "log")
    log = Syslog(path=first.path)
    assert log.write(6, "one")
    first.socket.close()
    (tmp_path / "log").unlink()
    assert not log.write(6, "two")
    second = Daemon(tmp_path / "log")
    assert log.write(6, "three")
    assert len(second.entries()) == 1
    log.close()
    second.socket.close()


PIECES = [
    ("short", ["short"]),
    ("", [""]),
    ("0123456789abc", ["[1/2] 0123456789", "[2/2] abc"]),
    ("one\ntwo\n", ["[1\\2] one", "[2/2] two"]),
    ("0123456789ab\n\nx", ["[1/4] 0123456789", "[2\\4] ab", "[3\\4] ", "[4/4] x"]),
]


@pytest.mark.parametrize(("text", "expected"), PIECES)
def test_pieces(text: str, expected: list[str]) -> None:
    assert list(pieces(text, 10)) == expected

"""Clients that wait to be accepted."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from eximious.daemon.backlog import log_backlog, waiting_connections


class Log:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def main(self, text: str, message_id: str = "") -> None:
        self.lines.append(text)


@pytest.fixture
def busy() -> Iterator[socket.socket]:
    """A socket on which three clients wait."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        clients = [socket.create_connection(listening.getsockname()) for _ in range(3)]
        yield listening
        for client in clients:
            client.close()


def test_they_are_counted(busy: socket.socket) -> None:
    assert waiting_connections(busy) == 3


@pytest.mark.parametrize(("most", "is_logged"), [(2, True), (3, False)])
def test_too_many_are_logged(busy: socket.socket, most: int, is_logged: bool) -> None:
    log: Any = Log()
    log_backlog([busy], most, log)
    assert log.lines == ([f"listen backlog 3 I=[127.0.0.1]:{busy.getsockname()[1]}"] if is_logged else [])

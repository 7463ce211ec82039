"""Connections that wait to be accepted, for ``smtp_backlog_monitor``."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from eximious.logs.log import Logs

# struct tcp_info of <linux/tcp.h>: for a listening socket, tcpi_unacked counts the connections to be accepted.
TCP_INFO_SIZE: Final = 104
UNACKED: Final = 24


def waiting_connections(listening: socket.socket) -> int:
    """How many clients of this TCP socket wait to be accepted. OSError."""
    information = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_SIZE)
    number: int = struct.unpack_from("=I", information, UNACKED)[0]
    return number


def log_backlog(sockets: Iterable[socket.socket], most: int, logs: Logs) -> None:
    """Log the sockets with which more than `most` clients wait."""
    for listening in sockets:
        number = waiting_connections(listening)
        if number > most:
            address, port = listening.getsockname()[:2]
            logs.main(f"listen backlog {number} I=[{address}]:{port}")

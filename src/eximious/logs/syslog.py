"""Log lines to the system log, cut into pieces that every syslog daemon can take."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket

SOCKET: Final = "/dev/log"
LONGEST: Final = 870  # characters in one piece, so that all of it stays below the 1024 octets of RFC 3164

FACILITIES: Final = {"user": 1, "mail": 2, "daemon": 3, "news": 7, "uucp": 8} | {f"local{n}": 16 + n for n in range(8)}
PRIORITIES: Final = {"panic": 1, "reject": 5, "main": 6}  # alert, notice, info
CRITICAL: Final = 2

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Syslog:
    """A connection to the local syslog daemon, made when first needed. Nothing is raised if there is none."""

    __slots__ = ("_path", "_socket", "facility", "name", "with_pid")

    def __init__(self, name: str = "exim", facility: str = "mail", with_pid: bool = True, path: str = SOCKET) -> None:
        self.name = name
        self.facility = FACILITIES.get(facility, FACILITIES["mail"])
        self.with_pid = with_pid
        self._path = path
        self._socket: socket.socket | None = None

    def write(self, priority: int, text: str) -> bool:
        """Send an entry, in as many pieces as it needs. False if the daemon could not be reached."""
        pid = f"[{os.getpid()}]" if self.with_pid else ""
        now = time.localtime()
        stamp = f"{_MONTHS[now.tm_mon - 1]} {now.tm_mday:2d} {now.tm_hour:02d}:{now.tm_min:02d}:{now.tm_sec:02d}"
        head = f"<{self.facility * 8 + priority}>{stamp} {self.name}{pid}: "
        sent = [self._send((head + piece).encode("latin-1", "replace")) for piece in pieces(text)]
        return all(sent)

    def _send(self, packet: bytes) -> bool:
        for _ in range(2):  # again once, for a daemon that was restarted
            try:
                if self._socket is None:
                    self._socket = _connect(self._path)
                self._socket.send(packet)
            except OSError:
                self.close()
            else:
                return True
        return False

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _connect(path: str) -> socket.socket:
    import socket

    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(1)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def pieces(text: str, longest: int = LONGEST) -> Iterator[str]:
    r"""The text in pieces of one line each, marked ``[1/3]`` (cut for its length) or ``[1\3]`` (for a newline)."""
    cut: list[tuple[str, str]] = []
    for line in text.rstrip("\n").split("\n"):
        parts = [line[at : at + longest] for at in range(0, len(line), longest)] or [""]
        cut.extend((part, "/") for part in parts[:-1])
        cut.append((parts[-1], "\\"))
    if len(cut) == 1:
        yield cut[0][0]
        return
    for number, (part, mark) in enumerate(cut, 1):
        yield f"[{number}{'/' if number == len(cut) else mark}{len(cut)}] {part}"

"""What the supervisor and its workers say to each other: short messages over a socket pair, one datagram each.

To a worker: ``drain`` (take no more connections, end when idle), ``stop`` (end within some seconds), ``spill``, ``run``
(a queue run), ``report`` (for exiwhat). From a worker: ``ready``, ``spilled``, ``ran`` (the queue run is over).
"""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any, Final

SIZE_LIMIT: Final = 65536


def pair() -> tuple[Link, Link]:
    """Both ends of a new link."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Link(ours), Link(theirs)


class Link:
    """One end."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock

    def fileno(self) -> int:
        """For polls."""
        return self.socket.fileno()

    def say(self, word: str, **facts: Any) -> None:
        """Send a message; one that cannot be sent, since the other end has gone or is stuck, is dropped."""
        with contextlib.suppress(OSError):
            self.socket.send(json.dumps({"word": word, **facts}).encode())

    def hear(self) -> list[dict[str, Any]] | None:
        """The messages that have come; None if the other end has gone."""
        messages: list[dict[str, Any]] = []
        while True:
            try:
                data = self.socket.recv(SIZE_LIMIT)
            except BlockingIOError:
                return messages
            except OSError:
                return messages or None
            if not data:
                return messages or None
            messages.append(json.loads(data))

    def close(self) -> None:
        """Close this end."""
        self.socket.close()

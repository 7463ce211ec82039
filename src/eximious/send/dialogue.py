"""What ``-v`` shows of the conversation with another host. What authenticates us is not shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.address.delivery import Host
    from eximious.smtp.reply import Reply

HIDDEN = "****"


class Dialogue:
    """Shows one connection's commands and replies, in Exim's form."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._is_secret = False  # an AUTH exchange is going on

    def connecting(self, host: Host) -> None:
        """Before the connection is made."""
        self._write(f"Connecting to {host.name} [{host.address}]:{host.port} ... ")

    def connected(self) -> None:
        """It is made."""
        self._write("connected\n")

    def not_connected(self, why: str) -> None:
        """It could not be made."""
        self._write(f"failed: {why}\n")

    def command(self, line: str) -> None:
        """A command goes out."""
        if self._is_secret:
            line = HIDDEN
        elif line[:5].upper() == "AUTH ":
            self._is_secret = True
            words = line.split(" ", 2)
            line = " ".join([*words[:2], HIDDEN]) if len(words) > 2 else line
        self._write(f"  SMTP>> {line}\n")

    def reply(self, reply: Reply) -> None:
        """A reply has come."""
        if not reply.is_intermediate:
            self._is_secret = False
        self._write("  SMTP<< " + str(reply).replace("\n", "\n         ") + "\n")

    def closed(self) -> None:
        """The connection is at its end."""
        self._write("  SMTP(close)>>\n")

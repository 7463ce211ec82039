"""A message in BDAT commands (RFC 3030): all at once if it is short, else its header first.

With the header go the last words that a host needs to refuse the message; so a large body is sent in vain less often.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from eximious.smtp.sending import TextSender

if TYPE_CHECKING:
    from eximious.send.connection import Connection
    from eximious.transports.smtp import Smtp

SMALL: Final = 8192  # octets of a message that goes in one piece, with the envelope
CHUNK: Final = 256 * 1024  # octets of one command, for what is behind the header
BLOCK: Final = "sending data block"


class Chunks:
    """The octets of a message on their way, and the commands that announce them."""

    def __init__(self, connection: Connection, transport: Smtp, pieces: Iterator[bytes]) -> None:
        self._connection = connection
        self._timeout = transport.data_timeout
        self._sender = TextSender(stuffs_dots=False)
        self._pieces = pieces
        self._held = b""
        self._at_end = False

    def send_all(self) -> None:
        """Send everything, soon."""
        parts = [*(self._sender.send(piece) for piece in self._pieces), self._sender.finish()]
        self._at_end = True
        self._send(b"".join(parts), is_last=True)

    def send_header(self) -> None:
        """Send the header and the empty line behind it, soon."""
        end = -1
        while end < 0 and self._more():
            end = self._held.find(b"\r\n\r\n")
        length = end + 4 if end >= 0 else len(self._held)
        header, self._held = self._held[:length], self._held[length:]
        self._send(header, is_last=False)

    def send_next(self) -> bool:
        """Send what is next, at once; True if that was the last. Raises Failure."""
        while len(self._held) < CHUNK and self._more():
            pass
        part, self._held = self._held[:CHUNK], self._held[CHUNK:]
        is_last = self._at_end and not self._held
        self._send(part, is_last=is_last)
        return is_last

    def _more(self) -> bool:
        """Hold one piece more; False if there is none."""
        if self._at_end:
            return False
        piece = next(self._pieces, None)
        if piece is None:
            self._at_end = True
            self._held += self._sender.finish()
        else:
            self._held += self._sender.send(piece)
        return True

    def _send(self, octets: bytes, *, is_last: bool) -> None:
        self._connection.send(f"BDAT {len(octets)}{' LAST' if is_last else ''}")
        self._connection.write(octets, BLOCK, self._timeout)

"""BDAT: the message in chunks (RFC 3030)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.receive.commands.data import may_begin
from eximious.smtp.server import chunk_arguments

if TYPE_CHECKING:
    from eximious.receive.session import Session
    from eximious.smtp.command import Command


def bdat(session: Session, command: Command) -> None:
    """Take one chunk. The octets of a chunk that is refused are passed over."""
    if "CHUNKING" not in session.advertised:
        session.protocol.skip_chunk(command)
        session.counters.error(session, 503, "BDAT command used when CHUNKING not advertised")
        return
    if chunk_arguments(command.argument) == (0, False):
        session.counters.error(session, 504, "zero size for BDAT command")
        return
    if session.transaction.chunks is None and not may_begin(session):
        session.protocol.skip_chunk(command)
        return
    from eximious.receive.smtp_message import receive_chunk

    receive_chunk(session, command)

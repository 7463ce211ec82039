"""BDAT: the message in chunks. Refused as long as CHUNKING is not advertised."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.receive.session import Session
    from eximious.smtp.command import Command


def bdat(session: Session, command: Command) -> None:
    """Take one chunk."""
    session.counters.error(session, 503, "BDAT command used when CHUNKING not advertised")

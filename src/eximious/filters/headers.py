"""Header lines that a system filter adds to the message, or removes from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.spool.header_kinds import kind_of
from eximious.spool.message import DELETED, Header

if TYPE_CHECKING:
    from eximious.spool.message import Message


def add(message: Message, text: str) -> None:
    """Add the lines of a text, which may be several headers."""
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        if lines and line[:1] in (" ", "\t"):
            lines[-1] += "\n" + line
        elif line:
            lines.append(line)
    message.headers.extend(Header(line + "\n", kind_of(line.partition(":")[0].rstrip(" \t").lower())) for line in lines)


def remove(message: Message, names: str) -> None:
    """Mark as deleted all headers with these names, which are separated by colons."""
    wanted = {name.strip().lower() for name in names.split(":") if name.strip()}
    for header in message.headers:
        if header.kind != DELETED and header.name.lower() in wanted:
            header.kind = DELETED

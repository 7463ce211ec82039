"""Checks that go on while a message's body arrives: DKIM signatures; ARC sets and DMARC, if an ACL wants to know.

Begun when the header is complete: the signatures are read, and their keys and the DMARC record are asked for. The body
is hashed as it passes, once for all signatures that want the same form of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.acl import arc, dmarc
from eximious.receive import dkim

if TYPE_CHECKING:
    from eximious.mailauth.canonical import BodyHashes
    from eximious.receive.incoming import Incoming

_FIELDS: Final = (b"dkim-signature", b"arc-seal")
_INITIALS: Final = b"DdAa"


class BodyChecks:
    """What is fed the body of one message."""

    __slots__ = ("_hashes",)

    def __init__(self, hashes: BodyHashes | None) -> None:
        self._hashes = hashes

    def feed(self, piece: bytes) -> None:
        """The next part of the body, its line ends LF."""
        if self._hashes is not None:
            self._hashes.feed(piece.replace(b"\n", b"\r\n"))

    def finish(self) -> None:
        """The body has ended."""
        if self._hashes is not None:
            self._hashes.finish()


NOTHING: Final = BodyChecks(None)


def begin(incoming: Incoming) -> BodyChecks:
    """The header is complete: begin what it asks for."""
    lines = incoming.reader.headers or []
    dmarc.begin(incoming.context, lines)
    for line in lines:
        if line[:1] in _INITIALS and line[:14].lower().startswith(_FIELDS):
            break
    else:
        return NOTHING
    from eximious.mailauth.canonical import BodyHashes
    from eximious.mailauth.message import from_lines

    headers = from_lines(lines)
    hashes = BodyHashes()
    dkim.begin(incoming, headers, hashes)
    arc.begin(incoming.context, headers, hashes)
    return BodyChecks(hashes) if hashes.are_wanted else NOTHING

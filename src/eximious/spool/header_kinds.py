"""The kinds of header lines, as spool files have them: a letter for those that matter to the program."""

from __future__ import annotations

from typing import Final

from eximious.spool.message import OTHER

BCC: Final = "B"
CC: Final = "C"
FROM: Final = "F"
ID: Final = "I"
RECEIVED: Final = "P"
REPLY_TO: Final = "R"
SENDER: Final = "S"
TO: Final = "T"

KINDS: Final = {
    "bcc": BCC,
    "cc": CC,
    "from": FROM,
    "message-id": ID,
    "received": RECEIVED,
    "reply-to": REPLY_TO,
    "sender": SENDER,
    "to": TO,
}
RESENT: Final = "resent-"
WITH_RESENT: Final = frozenset({"bcc", "cc", "from", "message-id", "reply-to", "sender", "to"})


def kind_of(name: str) -> str:
    """The kind of a header with this name, in lower case."""
    kind = KINDS.get(name)
    if kind is None:
        if name.startswith(RESENT) and name[7:] in WITH_RESENT:
            return KINDS[name[7:]]
        return OTHER
    return kind

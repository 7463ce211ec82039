"""What is known of one mail transaction besides its message: counts, and what was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.acl.ahead import Begun
    from eximious.receive.incoming import Incoming


class Transaction:
    """From one MAIL to the end of its message, or to whatever ends it before."""

    __slots__ = (
        "ahead",
        "chunks",
        "discard_reason",
        "discarded",
        "discarded_by",
        "discards_all",
        "has_too_many",
        "rcpt",
        "rcpt_deferred",
        "rcpt_failed",
        "refusal",
        "refusals_differ",
        "used_pipelining",
    )

    def __init__(self) -> None:
        self.rcpt = 0  # RCPT commands
        self.rcpt_deferred = 0
        self.rcpt_failed = 0
        self.discards_all = False  # the MAIL ACL said so
        self.discard_reason = ""  # for the log, in that case
        self.discarded = 0  # recipients that were accepted to be thrown away
        self.discarded_by = ""  # the ACL that said so, and why
        self.has_too_many = False  # recipients were refused because of their number
        self.refusal: str | None = None  # what RCPT commands were answered, if all were refused ...
        self.refusals_differ = False  # ... with the same words
        self.used_pipelining = False
        self.ahead: dict[str, Begun] = {}  # checks under way
        self.chunks: Incoming | None = None  # the message that BDAT commands bring, from the first one to the last

    def close(self) -> None:
        """Give back what the transaction held, and call off what it began."""
        while self.ahead:
            self.ahead.popitem()[1].expire()
        if self.chunks is not None:
            self.chunks.close()
            self.chunks = None

    def note_refusal(self, text: str) -> None:
        """A recipient was refused with this text."""
        if self.refusal is None:
            self.refusal = text
        elif self.refusal != text:
            self.refusals_differ = True

"""A message whose text has been read, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.acl import where
from eximious.logs.message import Arrival

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.acl.settings import Reception
    from eximious.acl.verdict import Verdict
    from eximious.context import Context
    from eximious.receive.body_checks import BodyChecks
    from eximious.receive.complaint import Complaint
    from eximious.receive.submitter import Submitter
    from eximious.smtp.message_text import MessageReader
    from eximious.spool.body import Body

# How it ended.
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"  # by an ACL; `verdict` says what to tell whoever sent it
FAILED: Final = "failed"  # by a limit or a fault of ours; `code` and `reply` say what


class Outcome:
    """What became of a message."""

    __slots__ = ("code", "complaint", "moment", "reply", "status", "verdict")

    def __init__(
        self,
        status: str,
        code: int = 250,
        reply: str = "",
        *,
        verdict: Verdict | None = None,
        complaint: Complaint | None = None,
        moment: str = where.DATA,
    ) -> None:
        self.moment = moment  # the ACL that refused it
        self.status = status
        self.code = code
        self.reply = reply
        self.verdict = verdict
        self.complaint = complaint  # what the sender of a local submission is to be told by mail


class Incoming:
    """A message whose text has been read."""

    __slots__ = (
        "accept_message",
        "arrival",
        "body",
        "body_checks",
        "complaint",
        "context",
        "discarded_by",
        "errors_are_fatal",
        "final_reply",
        "has_given_sender",
        "is_batch",
        "is_client_gone",
        "is_local",
        "is_smtp",
        "is_stored",
        "reader",
        "reception",
        "recipients_from_headers",
        "report",
        "size_limit",
        "submitter",
    )

    def __init__(
        self,
        context: Context,
        reception: Reception,
        reader: MessageReader,
        body: Body,
        submitter: Submitter,
        *,
        is_local: bool,
        is_smtp: bool,
        is_batch: bool = False,
    ) -> None:
        self.context = context
        self.reception = reception
        self.reader = reader
        self.body = body
        self.submitter = submitter
        self.is_local = is_local
        self.is_smtp = is_smtp  # interactive SMTP: the DATA ACL, not the one for other messages
        self.is_batch = is_batch
        self.recipients_from_headers = False  # -t
        self.is_client_gone: Callable[[], bool] | None = None  # tells if nobody waits for our answer any more
        self.size_limit = 0  # bytes; 0 for none
        self.has_given_sender = False  # -f, or a From line that counts
        self.is_stored = False  # the body belongs to the queue
        self.errors_are_fatal = False  # bad addresses in headers, even if there are good ones
        self.complaint: Complaint | None = None  # about addresses in headers
        self.report: Callable[[Complaint], object] | None = None  # tells the sender of bad ones beside good ones
        self.body_checks: BodyChecks | None = None  # once the header is complete
        self.arrival = Arrival()
        self.discarded_by = ""  # the ACL that discarded all recipients, and why; "" while there are some
        self.final_reply: tuple[int, str] | None = None  # after answers for each recipient: code and text
        self.accept_message = ""  # what the ACL wants the client to be told instead of "OK id=..."

    def close(self) -> None:
        """Give back what the message held, unless it is in the queue."""
        if not self.is_stored:
            self.body.close()

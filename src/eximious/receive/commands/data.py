"""DATA: the message itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl import where
from eximious.acl.verdict import ACCEPT, Verdict
from eximious.receive import refusal
from eximious.receive.replies import wording

if TYPE_CHECKING:
    from eximious.receive.session import Session
    from eximious.smtp.command import Command

GO_AHEAD = 'Enter message, ending with "." on a line by itself'


def data(session: Session, command: Command) -> None:
    """Ask the ACL, then take the message in and answer for it."""
    from eximious.receive.smtp_message import receive

    verdict = _permission(session)
    if verdict is None:
        return
    session.check_synchronisation()  # once more: the ACL may have taken its time
    if verdict.user_message:
        session.send(wording("354", verdict.user_message, session.complain).lines())
    else:
        session.reply(354, GO_AHEAD)
    receive(session)


def may_begin(session: Session) -> bool:
    """True if a message may be sent now, whatever the ACL says; the client has been told if not."""
    if session.transaction.has_too_many and session.main.recipients_max_reject:
        session.reply(554, "Too many recipients")
        return False
    return True


def _permission(session: Session) -> Verdict | None:
    if not may_begin(session):
        return None
    verdict = session.check(session.main.acl_smtp_predata, where.PREDATA)
    if verdict.result != ACCEPT:
        refusal.refuse(session, where.PREDATA, verdict)
        return None
    return verdict

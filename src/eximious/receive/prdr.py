"""PRDR: after the text of a message, an answer for each recipient, and then one for the whole. (draft-hall-prdr-00.)

The client asks for it with a parameter of MAIL. Recipients that the ACL does not accept are taken off the message, so
that the ACL for the data only sees the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.acl import engine, where
from eximious.acl.verdict import ACCEPT, DENY, DISCARD, DROP, Verdict
from eximious.context import NOWHERE
from eximious.receive.commands.rcpt import seen_by_acl
from eximious.receive.refusal import one_line
from eximious.receive.replies import wording

if TYPE_CHECKING:
    from eximious.receive.incoming import Incoming
    from eximious.receive.session import Session
    from eximious.spool.message import Recipient

BEGIN: Final = "353 PRDR content analysis beginning\r\n"


def is_wanted(incoming: Incoming) -> bool:
    """The client has asked for it, there is something to tell apart, and somebody to decide."""
    context = incoming.context
    return (
        bool(context.message.facts.get("prdr_requested"))
        and len(context.message.recipients) > 1
        and context.config.main.acl_smtp_data_prdr is not None
    )


def answer_each(incoming: Incoming) -> None:
    """Ask the ACL about each recipient and tell the client; what it is told in the end is `incoming.final_reply`."""
    context = incoming.context
    message, session = context.message, context.session
    session.send(BEGIN)
    all_recipients = message.recipients
    incoming.arrival.prdr = True
    incoming.arrival.recipients = [recipient.given or recipient.address for recipient in all_recipients]
    codes = []
    kept = []
    for recipient in all_recipients:
        verdict = _ask(incoming, recipient)
        codes.append(_answer(session, recipient, verdict))
        if verdict.result == ACCEPT:
            kept.append(recipient)
    message.recipients = kept
    incoming.final_reply = summary(message.id, codes)
    if not kept and "250" in codes:
        incoming.discarded_by = "PRDR ACL discarded recipients)"


def summary(message_id: str, codes: list[str]) -> tuple[int, str]:
    """The answer for the whole. If nobody was accepted, a single temporary refusal makes it worth trying again."""
    if all(code == "250" for code in codes):
        return 250, f"id={message_id} message accepted"
    if "250" in codes:
        return 250, f"id={message_id} message accepted for some recipients"
    if "450" in codes:
        return 450, f"id={message_id} message temporarily rejected for all recipients"
    return 550, f"id={message_id} message rejected for all recipients"


def _ask(incoming: Incoming, recipient: Recipient) -> Verdict:
    context = incoming.context
    option = context.config.main.acl_smtp_data_prdr
    assert option is not None
    context.address = seen_by_acl(recipient.address)
    try:
        return engine.check(option, where.PRDR, context)
    finally:
        context.address = NOWHERE


def _answer(session: Session, recipient: Recipient, verdict: Verdict) -> str:
    """Tell the client and the log; gives the reply code."""
    if verdict.result in (ACCEPT, DISCARD):
        code, what = "250", "acceptance"
    elif verdict.result in (DENY, DROP):
        code, what = "550", "refusal"
    else:
        code, what = "450", "temporary refusal"
    default = f"R=<{recipient.address}> {what}"
    text = verdict.user_message
    session.send(wording(code, text or f"PRDR {default}", session.complain).lines())
    log = one_line(verdict.log_message or text)
    session.logs.main(f"PRDR {recipient.address} {log}" if log else f"PRDR {default}", session.context.message.id)
    return code

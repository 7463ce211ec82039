"""RCPT: one recipient of the message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.acl import where
from eximious.acl.verdict import ACCEPT, DEFER, DENY, DISCARD, DROP, ERROR, Verdict
from eximious.address.delivery import Address
from eximious.address.parse import AddressError
from eximious.context import NOWHERE
from eximious.receive import refusal
from eximious.receive.envelope import client_may, is_postmaster, read_address
from eximious.receive.limits import expanded_integer
from eximious.receive.parameters import Parameter, split
from eximious.receive.ratelimit import wait_for_turn
from eximious.receive.replies import wording
from eximious.smtp.dsn import parse_notify
from eximious.spool.message import Recipient
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.receive.session import Session
    from eximious.smtp.command import Command

WITH_DSN: Final = frozenset({"NOTIFY", "ORCPT"})
NONE: Final[frozenset[str]] = frozenset()


class Fault(Exception):
    """The command's parameters are wrong; the text is the reply's."""


def rcpt(session: Session, command: Command) -> None:
    """Add a recipient, if the ACL lets it in."""
    session.transaction.rcpt += 1
    wait_for_turn(session, "rcpt")
    known = WITH_DSN if session.is_esmtp and "DSN" in session.advertised else NONE
    text, parameters = split(command.argument, known)
    command.argument = text  # for the log
    recipient = Recipient("")
    try:
        for parameter in parameters:
            READERS[parameter.name](recipient, parameter)
        address = _recipient(session, text)
    except Fault as fault:
        session.transaction.rcpt_failed += 1
        _error(session, str(fault))
        return
    except AddressError as fault:
        session.transaction.rcpt_failed += 1
        _error(session, f"{text}: {fault}", str(fault))
        return
    if address is None or _too_many(session):
        return
    recipient.address = Tainted(address)
    verdict = _ask(session, recipient)
    _answer(session, recipient, verdict, command)


def _error(session: Session, text: str, detail: str = "") -> None:
    session.transaction.note_refusal(f"501 {text}")
    session.counters.error(session, 501, text, detail=detail)


def _reply(session: Session, code: int, text: str) -> None:
    """Refuse the recipient; DATA may say so once more."""
    session.transaction.note_refusal(f"{code} {text}")
    session.reply(code, text)


def _recipient(session: Session, text: str) -> str | None:
    """The qualified address; None if it has been refused already. Raises AddressError."""
    if session.config.rewrite_rules:
        from eximious.rewrite.engine import rewrite_smtp

        text = rewrite_smtp(text, session.context)
    rules = session.envelope_rules
    address, has_domain = read_address(text, rules.recipient, strips_brackets=rules.strips_brackets)
    if has_domain:
        return address
    if client_may(session, "recipient") or is_postmaster(address):
        return f"{address}@{session.main.qualify_recipient}"
    session.transaction.rcpt_failed += 1
    session.logs.reject_selected(
        "smtp_syntax_error", f"unqualified recipient rejected: <{address}> {session.host_and_ident}"
    )
    _reply(session, 501, f"{text}: recipient address must contain a domain")
    return None


def _too_many(session: Session) -> bool:
    """Refuse recipients beyond ``recipients_max``, or the whole message because of them."""
    limit = session.recipients_limit
    if limit is None:
        limit = session.recipients_limit = expanded_integer(session.main.recipients_max, session.context)
    if limit <= 0 or session.transaction.rcpt <= limit:
        return False
    if session.main.recipients_max_reject:
        session.transaction.rcpt_failed += 1
        _reply(session, 552, "too many recipients")
        text = "message rejected"
    else:
        session.transaction.rcpt_deferred += 1
        _reply(session, 452, "too many recipients")
        text = "excess temporarily rejected"
    if not session.transaction.has_too_many:
        session.transaction.has_too_many = True
        sender = session.context.message.sender
        session.logs.reject(f"too many recipients: {text}: sender=<{sender}> {session.host_and_ident}")
    return True


def _ask(session: Session, recipient: Recipient) -> Verdict:
    """What the ACL for RCPT thinks of the address."""
    if session.transaction.discards_all:
        return Verdict(DISCARD)
    option = session.main.acl_smtp_rcpt
    if option is None:
        return Verdict(DENY)
    context = session.context
    context.address = seen_by_acl(recipient.address)
    try:
        return session.check(option, where.RCPT)
    finally:
        context.address = NOWHERE


def seen_by_acl(text: str) -> Address:
    """The address as an ACL sees it; all of it comes from outside."""
    address = Address(text)
    address.local_part_cased = Tainted(address.local_part_cased)
    address.local_part = Tainted(address.local_part)
    address.domain = Tainted(address.domain)
    return address


def _answer(session: Session, recipient: Recipient, verdict: Verdict, command: Command) -> None:
    result = verdict.result
    if result == ACCEPT:
        session.check_synchronisation_again()
        session.context.message.recipients.append(recipient)
        session.protocol.succeeded(command)
        _say(session, verdict)
    elif result == DISCARD:
        session.transaction.discarded += 1
        session.protocol.succeeded(command)
        _say(session, verdict)
        by = session.transaction.discard_reason
        if not session.transaction.discards_all:
            why = refusal.one_line(verdict.log_message)
            by = f"RCPT ACL{': ' + why if why else ''}"
            session.transaction.discarded_by = by
        sender = session.context.message.sender
        text = f"F=<{sender}> RCPT {command.argument}: discarded by {by}"
        session.logs.reject(f"{session.host_and_ident} {text}")
    else:
        if result in (DENY, DROP):
            session.transaction.rcpt_failed += 1
        elif result in (DEFER, ERROR):
            session.transaction.rcpt_deferred += 1
        session.transaction.note_refusal(verdict.user_message or refusal.default_text(verdict))
        refusal.refuse(session, where.RCPT, verdict)


def _say(session: Session, verdict: Verdict) -> None:
    if verdict.user_message:
        reply = wording("250", verdict.user_message, session.complain)
        session.send(reply.lines(multiline=session.settings.multiline_responses))
    else:
        session.send("250 Accepted\r\n")


def _notify(recipient: Recipient, parameter: Parameter) -> None:
    """RFC 3461 section 4.1."""
    if recipient.dsn_flags:
        raise Fault("NOTIFY can be specified once only")
    try:
        recipient.dsn_flags = parse_notify(parameter.text)
    except ValueError:
        raise Fault("Invalid value for NOTIFY parameter") from None


def _orcpt(recipient: Recipient, parameter: Parameter) -> None:
    """RFC 3461 section 4.2; kept as it is written, in xtext."""
    if recipient.orcpt:
        raise Fault("ORCPT can be specified once only")
    recipient.orcpt = Tainted(parameter.text)


READERS: Final = {"NOTIFY": _notify, "ORCPT": _orcpt}

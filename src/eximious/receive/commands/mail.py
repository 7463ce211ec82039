"""MAIL: a message begins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.acl import spf, where
from eximious.acl.verdict import ACCEPT, DISCARD
from eximious.address.parse import AddressError
from eximious.receive import refusal
from eximious.receive.envelope import client_may, read_address
from eximious.receive.limits import expanded_integer, has_space
from eximious.receive.parameters import Parameter, split
from eximious.receive.ratelimit import wait_for_turn
from eximious.receive.replies import wording
from eximious.receive.transaction import Transaction
from eximious.smtp.dsn import decode_xtext, parse_return
from eximious.spool.message import Message
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.receive.session import Session
    from eximious.smtp.command import Command

PARAMETERS: Final = frozenset({"SIZE", "BODY", "AUTH", "RET", "ENVID"})
NONE: Final[frozenset[str]] = frozenset()


CONTROL: Final = re.compile(r"[\0-\x1f\x7f]")


class Fault(Exception):
    """The command's parameters are wrong; the text is the reply's."""


def mail(session: Session, command: Command) -> None:
    """Begin a transaction: who is the sender, and may it send?"""
    session.counters.mails += 1
    if _too_many(session) or not _has_greeted(session):
        return
    wait_for_turn(session, "mail")
    known = NONE
    if session.is_esmtp:
        known = PARAMETERS
        if "PRDR" in session.advertised:
            known |= {"PRDR"}
    address_text, parameters = split(command.argument, known)
    command.argument = address_text  # for the log
    message = _new_message(session)
    try:
        for parameter in parameters:
            READERS[parameter.name](session, message, parameter)
        address = _sender(session, address_text)
    except Fault as fault:
        session.counters.error(session, 501, str(fault))
        return
    except AddressError as fault:
        session.counters.error(session, 501, f"{address_text}: {fault}", detail=str(fault))
        return
    if address is None or not _fits(session, message, command):
        return
    message.sender = Tainted(address) if address else ""
    _ask(session, message, command)


def _new_message(session: Session) -> Message:
    """The transaction's message."""
    context = session.context
    message = session.new_message()
    context.message = message
    context.reception = None
    session.forget_message_facts()
    session.transaction = Transaction()
    return message


def _too_many(session: Session) -> bool:
    limit = session.mail_limit
    if limit is None:
        limit = session.mail_limit = expanded_integer(session.main.smtp_accept_max_per_connection, session.context)
    if limit <= 0 or session.counters.mails <= limit:
        return False
    session.logs.reject(f"rejected MAIL command {session.host_and_ident}: too many messages in one connection")
    session.reply(421, "too many messages in this connection")
    return True


def _has_greeted(session: Session) -> bool:
    if session.has_greeted:
        return True
    if not (session.is_client_in("hosts_require_helo") or session.is_client_in("helo_verify_hosts")):
        return True
    session.logs.reject(f"rejected MAIL from {session.full_host}: no HELO/EHLO given")
    session.counters.error(session, 503, "HELO or EHLO required")
    return False


def _sender(session: Session, text: str) -> str | None:
    """The qualified sender; None if it has been refused already. Raises AddressError."""
    if session.config.rewrite_rules:
        from eximious.rewrite.engine import rewrite_smtp

        text = rewrite_smtp(text, session.context)
    rules = session.envelope_rules
    address, has_domain = read_address(text, rules.sender, strips_brackets=rules.strips_brackets)
    if has_domain or not address:
        return address
    if client_may(session, "sender"):
        return f"{address}@{session.main.qualify_domain}"
    session.logs.reject_selected(
        "smtp_syntax_error", f"unqualified sender rejected: <{address}> {session.host_and_ident}"
    )
    session.reply(501, f"{text}: sender address must contain a domain")
    return None


def _fits(session: Session, message: Message, command: Command) -> bool:
    """True if there is room for what SIZE announces."""
    size = message.size
    limit = session.size_limit
    if limit > 0 and size > limit:
        session.logs.reject_selected(
            "size_reject",
            f"rejected MAIL FROM:{command.argument} {session.host_and_ident}: message too big: size={size} max={limit}",
        )
        session.reply(552, "Message size exceeds maximum permitted")
        return False
    if session.main.smtp_check_spool_space or size <= 0:
        if has_space(session.context, max(size, 0)):
            return True
        session.reply(452, "Space shortage, please try later")
        return False
    return True


def _ask(session: Session, message: Message, command: Command) -> None:
    """Run the ACL, and answer."""
    verdict = session.check(session.main.acl_smtp_mail, where.MAIL)
    if verdict.result not in (ACCEPT, DISCARD):
        refusal.refuse(session, where.MAIL, verdict)
        sender_gone(session)
        return
    if verdict.result == DISCARD:
        why = refusal.one_line(verdict.log_message)
        session.transaction.discards_all = True
        session.transaction.discard_reason = f"MAIL ACL: {why}" if why else "MAIL ACL"
    session.check_synchronisation_again()
    session.protocol.succeeded(command)
    session.counters.new_message()
    spf.begin(session.context)
    if verdict.user_message:
        lines = wording("250", verdict.user_message, session.complain)
        session.send(lines.lines(multiline=session.settings.multiline_responses))
    else:
        session.send("250 OK, PRDR Requested\r\n" if message.facts.get("prdr_requested") else "250 OK\r\n")


def sender_gone(session: Session) -> None:
    """The transaction did not come about."""
    session.context.message.sender = ""


# --- parameters -------------------------------------------------------------------------------------------------------


def _size(session: Session, message: Message, parameter: Parameter) -> None:
    digits = parameter.text
    if digits.isascii() and digits.isdigit():
        message.size = int(digits[:18])


def _prdr(session: Session, message: Message, parameter: Parameter) -> None:
    """draft-hall-prdr-00: answer for each recipient."""
    message.facts["prdr_requested"] = True


def _body(session: Session, message: Message, parameter: Parameter) -> None:
    """RFC 6152 section 2."""
    value = parameter.text.upper()
    if value not in ("7BIT", "8BITMIME"):
        raise Fault("invalid data for BODY")
    message.facts["body_type"] = 8 if value == "8BITMIME" else 7
    message.has_8bit = value == "8BITMIME"


def _auth(session: Session, message: Message, parameter: Parameter) -> None:
    """RFC 4954 section 5: who submitted the message first."""
    value = parameter.text
    if value == "<>":
        message.authenticated_sender = ""
        return
    try:
        address = decode_xtext(value)
    except ValueError:
        address = ""
    if not address or CONTROL.search(address):
        raise Fault("invalid data for AUTH")
    client = session.client
    message.authenticated_sender = Tainted(address)
    if session.main.acl_smtp_mailauth is None:
        why = "" if client.authenticator_name else "client not authenticated"
        result = ACCEPT if client.authenticator_name else "deny"
    else:
        verdict = session.check(session.main.acl_smtp_mailauth, where.MAILAUTH)
        result, why = verdict.result, verdict.log_message
        if result == "drop":
            refusal.refuse(session, where.MAILAUTH, verdict)
            return
        if result != ACCEPT:
            why = f"{'temporarily ' if result in ('defer', 'error') else ''}rejected by ACL{': ' + why if why else ''}"
    if result == ACCEPT:
        if _is_kept(session):
            return
        who = f': authenticated ID="{client.authenticated_id}"' if client.authenticated_id else ""
        why = f"server_mail_auth_condition failed{who}"
    message.authenticated_sender = ""
    session.logs.main(f"ignoring AUTH={value} from {session.host_and_ident} ({why})")


def _is_kept(session: Session) -> bool:
    """False if the authenticator that the client used has a condition for this, which does not hold."""
    name = session.client.authenticator_name
    used = next((one for one in session.config.authenticators if one.name == name), None)
    return used is None or bool(used.accepts_sender(session.context))


def _ret(session: Session, message: Message, parameter: Parameter) -> None:
    """RFC 3461 section 4.3. Of no consequence where DSN is not offered, as with Exim."""
    if "DSN" not in session.advertised:
        return
    if message.dsn_return:
        raise Fault("RET can be specified once only")
    try:
        message.dsn_return = parse_return(parameter.text)
    except ValueError:
        raise Fault("Value for RET is invalid") from None


def _envid(session: Session, message: Message, parameter: Parameter) -> None:
    """RFC 3461 section 4.4; kept as it is written, in xtext."""
    if "DSN" not in session.advertised:
        return
    if message.dsn_envid:
        raise Fault("ENVID can be specified once only")
    message.dsn_envid = Tainted(parameter.text)


READERS: Final = {"SIZE": _size, "BODY": _body, "AUTH": _auth, "RET": _ret, "ENVID": _envid, "PRDR": _prdr}

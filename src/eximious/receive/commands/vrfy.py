"""VRFY and EXPN: does an address exist, and what does it stand for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl import where
from eximious.acl.verdict import ACCEPT
from eximious.address.parse import AddressError
from eximious.context import NOWHERE
from eximious.receive import refusal
from eximious.receive.commands.rcpt import seen_by_acl
from eximious.receive.envelope import client_may, is_postmaster, read_address

if TYPE_CHECKING:
    from eximious.receive.session import Session
    from eximious.smtp.command import Command


def vrfy(session: Session, command: Command) -> None:
    """Verify a recipient address, as ``-bv`` does, if the ACL wants it done."""
    argument = command.argument
    try:
        address, has_domain = read_address(argument, session.envelope_rules.recipient)
    except AddressError as fault:
        session.reply(501, str(fault))
        return
    if not has_domain and not client_may(session, "recipient") and not is_postmaster(address):
        session.logs.reject_selected(
            "smtp_syntax_error", f"unqualified verify rejected: <{address}> {session.host_and_ident}"
        )
        session.reply(501, f"{argument}: recipient address must contain a domain")
        return
    session.context.address = seen_by_acl(address)
    try:
        verdict = session.check(session.main.acl_smtp_vrfy, where.VRFY)
    finally:
        session.context.address = NOWHERE
    if verdict.result != ACCEPT:
        refusal.refuse(session, where.VRFY, verdict)
        return
    from eximious.verify.recipient import verify_for_vrfy

    code, text = verify_for_vrfy(address, session.context)
    if code == 550:
        session.logs.main(f"VRFY failed for {argument} {session.host_and_ident}")
    session.reply(code, text)


def expn(session: Session, command: Command) -> None:
    """Say what one level of redirection makes of an address, if the ACL lets the client know."""
    verdict = session.check(session.main.acl_smtp_expn, where.EXPN)
    if verdict.result != ACCEPT:
        refusal.refuse(session, where.EXPN, verdict)
        return
    from eximious.verify.recipient import expand_for_expn

    session.flush()
    lines = expand_for_expn(command.argument, session.context)
    last = len(lines) - 1
    for number, (code, text) in enumerate(lines):
        session.send(f"{code}{' ' if number == last else '-'}{text}\r\n")

"""VRFY and EXPN: does an address exist, and what does it stand for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl import where
from eximious.acl.verdict import ACCEPT
from eximious.address.parse import AddressError
from eximious.receive import refusal
from eximious.receive.envelope import client_may, read_address

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
    if not has_domain and not client_may(session, "recipient"):
        session.reply(501, f"{argument}: recipient address must contain a domain")
        return
    verdict = session.check(session.main.acl_smtp_vrfy, where.VRFY)
    if verdict.result != ACCEPT:
        refusal.refuse(session, where.VRFY, verdict)
        return
    _answer(session, address)


def _answer(session: Session, address: str) -> None:
    from eximious.verify.address import Request, Result, verify_address

    context = session.context
    verified = verify_address(address, context, Request(is_recipient=True, qualifies=True))
    why = verified.user_message or verified.message
    if verified.result is Result.OK:
        session.reply(250, f"<{verified.original}> is deliverable")
        return
    if verified.result is Result.FAIL:
        session.logs.main(f"VRFY failed for {session.command.argument} {session.host_and_ident}")
        session.reply(550, f"<{verified.original}> {why}")
    else:
        session.reply(451, f"<{verified.original}> {why}")


def expn(session: Session, command: Command) -> None:
    """Say what one level of redirection makes of an address, if the ACL lets the client know."""
    verdict = session.check(session.main.acl_smtp_expn, where.EXPN)
    if verdict.result != ACCEPT:
        refusal.refuse(session, where.EXPN, verdict)
        return
    session.flush()
    try:
        address, has_domain = read_address(command.argument, session.envelope_rules.recipient)
    except AddressError as fault:
        session.reply(501, str(fault))
        return
    if not has_domain:
        address = f"{address}@{session.main.qualify_recipient}"
    _expand(session, address)


def _expand(session: Session, address: str) -> None:
    from eximious.address.delivery import Address
    from eximious.routers.engine import route
    from eximious.routers.outcome import Outcome

    asked = Address(address)
    routed = route(asked, session.context, "E")
    if routed.outcome is Outcome.FAILED:
        session.reply(553, f"{address} is undeliverable")
        return
    if routed.outcome is Outcome.DEFERRED:
        session.reply(451, f"Cannot resolve {address} at this time")
        return
    children = routed.generated or [asked]
    last = len(children) - 1
    for number, child in enumerate(children):
        session.send(f"250{' ' if number == last else '-'}<{child.address}>\r\n")

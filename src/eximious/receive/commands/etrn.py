"""ETRN: a client asks for what waits for it. (RFC 1985.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl import where
from eximious.acl.verdict import ACCEPT
from eximious.receive import refusal

if TYPE_CHECKING:
    from eximious.receive.session import Session
    from eximious.smtp.command import Command


def etrn(session: Session, command: Command) -> None:
    """Start a queue run for the argument, if the ACL lets the client have one."""
    if session.has_sender:
        session.counters.error(session, 503, "ETRN is not permitted inside a transaction")
        return
    argument = command.argument
    if "etrn" in session.logs.selected:
        session.logs.main(f"ETRN {argument} received from {session.full_host}")
    verdict = session.check(session.main.acl_smtp_etrn, where.ETRN)
    if verdict.result != ACCEPT:
        refusal.refuse(session, where.ETRN, verdict)
        return
    if not argument.startswith("#"):
        session.counters.error(session, 501, "argument must begin with #")
        return
    if session.is_checking:
        session.reply(250, "OK")
        return
    runner = session.context.services.queue_runner
    if runner is None:
        session.reply(458, "Unable to fork process")
    elif session.main.smtp_etrn_serialize and runner.is_running(argument[1:]):
        session.reply(458, f"Already processing {argument}")
    else:
        runner.start(argument[1:])
        session.reply(250, "OK")

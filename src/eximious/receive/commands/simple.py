"""RSET, NOOP, HELP and QUIT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl import where
from eximious.receive import ending
from eximious.receive.replies import Wording

if TYPE_CHECKING:
    from eximious.receive.session import Session
    from eximious.smtp.command import Command


def rset(session: Session, command: Command) -> None:
    """Forget the transaction."""
    ending.incomplete(session, "RSET")
    session.reset()
    session.send("250 Reset OK\r\n")


def noop(session: Session, command: Command) -> None:
    """Nothing, successfully."""
    session.send("250 OK\r\n")


def help_(session: Session, command: Command) -> None:
    """Say which commands there are (for this client)."""
    main = session.main
    words = []
    words.append("AUTH")
    if "STARTTLS" in session.advertised:
        words.append("STARTTLS")
    words.append("HELO EHLO MAIL RCPT DATA")
    if main.chunking_advertise_hosts is not None:
        words.append("BDAT")
    words.append("NOOP QUIT RSET HELP")
    words.extend(name for name in ("ETRN", "EXPN", "VRFY") if getattr(main, f"acl_smtp_{name.lower()}") is not None)
    session.send(f"214-Commands supported:\r\n214 {' '.join(words)}\r\n")


def quit_(session: Session, command: Command) -> None:
    """Say good-bye."""
    ending.incomplete(session, "QUIT")
    if session.transaction.chunks is not None:
        ending.message_lost(session, in_headers=False)
    text = ""
    if session.main.acl_smtp_quit is not None:
        verdict = session.check(session.main.acl_smtp_quit, where.QUIT)
        ending.complain_of_failure(session, verdict, "QUIT")
        text = verdict.user_message
    text = text or f"{session.active_host_name} closing connection"
    session.send(Wording("221", "", text).lines())
    session.is_open = False
    session.has_quit = True
    session.protocol.close()
    if session.facts.get("connection_logged"):
        session.logs.main(f"{session.connection_text} {session.duration} closed by QUIT")

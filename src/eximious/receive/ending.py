"""How sessions end: in peace, by the client's silence or disappearance, or because we have had enough."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

from eximious.acl import engine, where
from eximious.acl.verdict import ERROR
from eximious.logs import debug_log
from eximious.logs.printing import printing
from eximious.receive.replies import Wording
from eximious.smtp.command import without_secrets

if TYPE_CHECKING:
    from eximious.acl.verdict import Verdict
    from eximious.receive.session import Session

REFUSALS: Final = 50  # commands that are answered when all are refused; then the connection ends


class Ended(Exception):
    """The session is over; the client has been told."""


def complain_of_failure(session: Session, verdict: Verdict, name: str) -> None:
    """Say that an ACL at the end of a session has failed."""
    if verdict.result == ERROR:
        session.logs.panic(f"ACL for {name} returned ERROR: {verdict.log_message}")


def not_quit(session: Session, reason: str, code: int, text: str) -> None:
    """Run the ACL for sessions that end without QUIT, and say good-bye; its message may replace the text."""
    option = session.main.acl_smtp_notquit
    session.is_open = False
    if option is not None and "notquit" not in session.facts:
        session.facts["notquit"] = True
        session.context.facts["smtp_notquit_reason"] = reason
        verdict = engine.check(option, where.NOTQUIT, session.context)
        complain_of_failure(session, verdict, "not-QUIT")
        if verdict.user_message and text:
            session.send(Wording(str(code), "", verdict.user_message).lines())
            return
    if text:
        session.reply(code, text)


def too_many(session: Session, what: str, text: str, *, code: int = 554) -> NoReturn:
    """There were too many commands of some kind."""
    last = without_secrets(session.command.line)
    if code == 554:
        last = last.split(" ", 1)[0]
    line = f'SMTP call from {session.full_host} dropped: too many {what} (last was "{last}")'
    if code == 554:
        session.logs.reject(line)
        not_quit(session, "bad-commands", code, text)
    else:
        not_quit(session, "bad-commands", code, text)
        session.logs.reject(line)
    raise Ended


def too_many_errors(session: Session, code: int, text: str, *, is_plain: bool = False) -> NoReturn:
    """There were too many syntax or protocol errors; with `is_plain`, the client is told only of the last."""
    history = session.command_history
    session.logs.reject(
        f"SMTP call from {session.full_host} dropped: too many syntax or protocol errors "
        f'(last command was "{printing(without_secrets(session.command.line))}", {" C=" + history if history else ""})'
    )
    session.is_open = False  # acl_smtp_notquit is not asked, as with Exim
    if is_plain:
        session.reply(code, text)
        raise Ended
    session.send(f"{code}-{text}\r\n")
    session.reply(code, "Too many syntax or protocol errors")
    raise Ended


def out_of_step(session: Session, *, after_chunk: bool = False) -> NoReturn:
    """The client sent more before it had our answer (or our greeting)."""
    received = session.protocol.pending
    pending = without_secrets(received.decode("latin-1")).encode("latin-1")
    if after_chunk:
        shown = f"{printable(pending[:32])}."
    else:
        shown = printable(pending) + (f" ({len(received)} bytes)" if session.command.line else "")
    if session.command.line:
        was = "was" if "PIPELINING" in session.advertised else "was not"
        session.logs.reject(
            f"SMTP protocol synchronization error (next input sent too soon: pipelining {was} advertised): "
            f'rejected "{without_secrets(session.command.line)}" {session.host_and_ident} next input={shown}'
        )
    else:
        session.logs.reject(
            "SMTP protocol synchronization error (input sent without waiting for greeting): "
            f"rejected connection from {session.host_and_ident} input={shown}"
        )
    not_quit(session, "synchronization-error", 554, "SMTP synchronization error")
    raise Ended


def closed(session: Session, text: str) -> NoReturn:
    """We cannot serve anybody now: say so, to every command, until the client leaves."""
    session.reply(421, text)
    refuse_all(session, 421, text)


def refuse_all(session: Session, code: int, text: str) -> NoReturn:
    """Give every command but QUIT the same answer, until the client leaves or has had enough of them."""
    protocol = session.protocol
    try:
        for _ in range(REFUSALS):
            while (line := protocol.next_line()) is None:
                data = session.stream.read()
                if not data:
                    raise Ended
                protocol.receive(data)
            if line.strip().upper() == "QUIT":
                session.reply(221, f"{session.active_host_name} closing connection")
                session.has_quit = True
                break
            session.reply(code, text)
    except OSError:
        pass
    raise Ended


def printable(data: bytes, limit: int = 150) -> str:
    """The beginning of what a client sent, for the log."""
    escapes = {10: "\\n", 13: "\\r", 9: "\\t", 92: "\\\\"}
    text = "".join(
        escapes.get(octet) or (chr(octet) if 32 <= octet < 127 else f"\\{octet:03o}") for octet in data[:limit]
    )
    return f'"{text}"'


def timed_out(session: Session) -> None:
    """The client sent no command in time."""
    incomplete(session, "command timeout")
    tls = " TLS" if session.client.tls is not None else ""
    session.logs.main(f"SMTP command timeout on{tls} connection from {session.full_host} {session.duration}")
    with suppress(OSError):
        name = session.active_host_name
        not_quit(session, "command-timeout", 421, f"{name}: SMTP command timeout - closing connection")


def lost(session: Session) -> None:
    """The client is gone, without QUIT."""
    incomplete(session, "connection lost")
    with suppress(OSError):
        not_quit(session, "connection-lost", 421, f"{session.active_host_name} lost input connection")
    in_transaction = session.has_sender  # many clients just go when they are done
    if in_transaction and "lost_incoming_connection" in session.logs.selected and not session.client.is_local:
        session.logs.main(
            f"unexpected disconnection while reading SMTP command from {session.full_host} {session.duration}"
        )


def message_lost(session: Session, *, in_headers: bool) -> None:
    """Log that a message came to no end. One whose headers are not complete has no id yet."""
    where_ = " (header)" if in_headers else ""
    message_id = "" if in_headers else session.context.message.id
    session.logs.main(f"{session.connection_text} lost while reading message data{where_}", message_id)


def incomplete(session: Session, why: str) -> None:
    """Log a transaction that was begun and not finished, if the log selector wants it."""
    message = session.context.message
    if "smtp_incomplete_transaction" not in session.logs.selected or not session.has_sender:
        return
    recipients = "".join(f" {recipient.address}" for recipient in message.recipients)
    recipients = f" for{recipients}" if recipients else ""
    session.logs.main(f"{session.host_and_ident} incomplete transaction ({why}) from <{message.sender}>{recipients}")


def finish(session: Session) -> None:
    """Close the connection. Never fails."""
    session.is_open = False
    with suppress(OSError):
        session.stream.flush()
    session.transaction.close()
    if session.context.trace is not None:
        debug_log.leave(session.context)
    no_mail(session)
    session.stream.close()


def no_mail(session: Session) -> None:
    """Log connections that did not even begin a transaction, if the log selector wants it."""
    counters = session.counters
    if counters.mails or "smtp_no_mail" not in session.logs.selected:
        return
    cipher = session.logs.fields.tls(session.client.tls)
    history = counters.history
    commands = f" C={'...' if len(history) >= 20 else ''}{','.join(history)}" if history else ""
    session.logs.main(f"no MAIL in SMTP connection from {session.full_host} {session.duration}{cipher}{commands}")

"""STARTTLS (RFC 3207), and TLS from the first octet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from eximious.acl import where
from eximious.acl.verdict import ACCEPT
from eximious.receive import ending, refusal
from eximious.receive.commands.helo import LASTING
from eximious.smtp.server import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.receive.session import Session
    from eximious.smtp.command import Command
    from eximious.tls.context import ServerContext


def starttls(session: Session, command: Command) -> None:
    """Encrypt the connection. Everything that was said before is forgotten."""
    if "STARTTLS" not in session.advertised:
        session.counters.error(session, 503, "STARTTLS command used when not advertised")
        return
    verdict = session.check(session.main.acl_smtp_starttls, where.STARTTLS)
    if verdict.result != ACCEPT:
        refusal.refuse(session, where.STARTTLS, verdict)
        return
    ending.incomplete(session, "STARTTLS")
    session.reset()
    context = _server_context(session)
    if context is None:
        session.reply(454, "TLS currently unavailable")
        return
    session.reply(220, "TLS go ahead")
    _shake_hands(session, context)
    session.protocol.start_tls()
    _forget(session)


def start_on_connect(session: Session) -> None:
    """TLS before anything is said (RFC 8314)."""
    context = _server_context(session)
    if context is None:
        raise ending.Ended
    _shake_hands(session, context, on_connect=True)


def _server_context(session: Session) -> ServerContext | Callable[[str], ServerContext] | None:
    """What TLS needs; None, and a log line, if the configuration does not provide it."""
    from eximious.receive.tls_server import server_context
    from eximious.tls.errors import TlsError

    try:
        return server_context(session.context)
    except TlsError as error:
        session.logs.main(f"TLS error on connection from {session.full_host} {error}")
        return None


def _shake_hands(
    session: Session, context: ServerContext | Callable[[str], ServerContext], *, on_connect: bool = False
) -> None:
    try:
        tls = session.client.tls = session.stream.start_tls_server(context, on_connect=on_connect)
        tls.on_connect = on_connect
    except OSError as error:
        _log_complaints(session)
        _failed(session, error, on_connect=on_connect)
    tls.may_be_asked = session.main.tls_verify_hosts is not None or session.main.tls_try_verify_hosts is not None
    _log_complaints(session)


def _log_complaints(session: Session) -> None:
    """What is wrong with the client's certificate, whether that matters or not."""
    for complaint in session.stream.tls_complaints:
        session.logs.main(f"[{session.client.host_address}] {complaint}")


def _failed(session: Session, error: OSError, *, on_connect: bool) -> NoReturn:
    """A client that is still there after STARTTLS has failed is told so, in the clear, until it leaves."""
    from eximious.tls.errors import TlsError

    detail = "(SSL_accept): timed out" if isinstance(error, TimeoutError) else str(error)
    session.logs.main(f"TLS error on connection from {session.full_host} {detail}")
    ending.not_quit(session, "tls-failed", 554, "")
    if isinstance(error, TlsError) and not error.is_cut_off and not on_connect:
        ending.refuse_all(session, 554, "Security failure")
    session.stream.abort()
    raise ending.Ended


def _forget(session: Session) -> None:
    """RFC 3207 section 4.2: nothing that was learnt in the clear counts."""
    client = session.client
    client.helo_name = ""
    client.helo_verified = False
    client.authenticated_id = client.authenticator_name = client.authenticator_public_name = ""
    session.protocol.stage = Stage.GREETED
    session.counters.new_tls()
    if session.main.tls_remember_esmtp:
        session.advertised -= {"STARTTLS"}
        return
    session.has_greeted = False
    session.is_esmtp = False
    session.advertised &= LASTING

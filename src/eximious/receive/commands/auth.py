"""AUTH: who is the client? (RFC 4954.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl import where
from eximious.acl.verdict import ACCEPT
from eximious.receive import refusal

if TYPE_CHECKING:
    from eximious.authenticators.base import Authenticator
    from eximious.receive.session import Session
    from eximious.smtp.command import Command


def advertised_mechanisms(session: Session) -> list[str]:
    """The mechanisms that this client is offered now."""
    authenticators = session.config.authenticators
    session.facts["mechanisms"] = []
    if not authenticators or session.client.authenticator_name or not session.is_client_in("auth_advertise_hosts"):
        return []
    from eximious.authenticators.base import is_offered

    offered = [one for one in authenticators if is_offered(one, session.context)]
    session.facts["mechanisms"] = offered
    names: list[str] = []
    for one in offered:
        if one.mechanism.upper() not in names:
            names.append(one.mechanism.upper())
    return names


def auth(session: Session, command: Command) -> None:
    """Run the mechanism that the client asks for."""
    problem = _problem(session)
    if problem:
        session.counters.error(session, 503, problem)
        return
    mechanism, _, initial = command.argument.partition(" ")
    command.argument = mechanism  # the rest is secret
    verdict = session.check(session.main.acl_smtp_auth, where.AUTH)
    if verdict.result != ACCEPT:
        refusal.refuse(session, where.AUTH, verdict)
        return
    if mechanism and not mechanism.replace("-", "").replace("_", "").isalnum():
        session.counters.error(session, 501, "invalid character in authentication mechanism name")
        return
    authenticator = _find(session, mechanism)
    if authenticator is None:
        session.reply(504, f"{mechanism} authentication mechanism not supported")
        return
    _run(session, authenticator, initial.strip() or None)


def _problem(session: Session) -> str:
    """Why AUTH cannot come now; "" if it can."""
    if session.client.authenticator_name:
        return "already authenticated"
    if session.has_sender:
        return "not permitted in mail transaction"
    if not session.config.authenticators or not (session.settings.auth_unadvertised or "AUTH" in session.advertised):
        return "AUTH command used when not advertised"
    return ""


def _find(session: Session, mechanism: str) -> Authenticator | None:
    """The authenticator for the mechanism: one that was offered, or any that there is where a control says so."""
    authenticators: list[Authenticator] = session.facts.get("mechanisms", [])
    if session.settings.auth_unadvertised:
        authenticators = [one for one in session.config.authenticators if one.is_server]
    for one in authenticators:
        if one.mechanism.upper() == mechanism.upper():
            return one
    return None


def _run(session: Session, authenticator: Authenticator, initial: str | None) -> None:
    from eximious.authenticators.base import authenticate
    from eximious.authenticators.exchange import ServerExchange, Status

    def ask(challenge: str) -> str:
        session.reply(334, challenge)
        return _answer(session)

    result = authenticate(authenticator, ServerExchange(ask, initial), session.context)
    facts = session.context.facts
    if result.status is Status.OK:
        session.send(result.reply + "\r\n")
        session.client.auth_results = []
        return
    facts["authentication_failed"] = True
    session.send(result.reply + "\r\n")
    session.logs.reject(f"{authenticator.name} authenticator failed for {session.host_and_ident}: {result.log_text}")


def _answer(session: Session) -> str:
    """The client's next line in the exchange. Raises ConnectionError at the end of the input."""
    protocol = session.protocol
    while (line := protocol.next_line()) is None:
        received = session.stream.read()
        if not received:
            raise ConnectionResetError
        protocol.receive(received)
    return line

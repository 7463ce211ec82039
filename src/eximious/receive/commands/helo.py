"""HELO and EHLO."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.acl import where
from eximious.acl.verdict import ACCEPT
from eximious.errors import Defer, ExpandError
from eximious.receive import ending, refusal
from eximious.receive.commands.auth import advertised_mechanisms
from eximious.receive.replies import wording
from eximious.smtp.server import Stage
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.receive.session import Session
    from eximious.smtp.command import Command

LITERAL: Final = re.compile(r"\[(?:IPv[46]:)?([0-9A-Fa-f:.]+)\]", re.IGNORECASE)
LASTING: Final = frozenset({"CHUNKING"})  # once offered, good for the whole connection, even after HELO
NAME: Final = re.compile(r"[A-Za-z0-9.-]+")


def helo(session: Session, command: Command) -> None:
    """Learn the client's name, and tell it (with EHLO) what we can do."""
    client = session.client
    name = command.argument
    if not _is_acceptable(session, name):
        _refuse_name(session, command)
        return
    ending.incomplete(session, command.verb)
    session.reset()
    session.protocol.stage = Stage.GREETED
    session.has_greeted = False
    session.is_esmtp = command.verb == "EHLO"
    session.advertised &= LASTING
    client.helo_name = Tainted(name)
    client.helo_verified = False
    _look_up_if_suspicious(session, name)
    if not _is_verified_enough(session, command):
        return
    message = ""
    if session.main.acl_smtp_helo is not None:
        verdict = session.check(session.main.acl_smtp_helo, where.HELO)
        if verdict.result != ACCEPT:
            try:
                refusal.refuse(session, where.HELO, verdict)
            finally:
                client.helo_name = ""
            return
        session.check_synchronisation()
        message = verdict.user_message
    session.has_greeted = True
    session.protocol.succeeded(command)
    _answer(session, message)


def _is_acceptable(session: Session, name: str) -> bool:
    """True for a host name or an address literal, or anything from hosts that are allowed to send junk."""
    if name:
        if NAME.fullmatch(name) or (name[0] == "[" and _is_literal(name)):
            return True
        extra = session.main.helo_allow_chars
        if extra and not any(c.isspace() for c in name) and all(c in extra or NAME.fullmatch(c) for c in name):
            return True
    return session.is_client_in("helo_accept_junk_hosts")


def _is_literal(name: str) -> bool:
    import ipaddress

    found = LITERAL.fullmatch(name)
    if found is None:
        return False
    try:
        ipaddress.ip_address(found[1])
    except ValueError:
        return False
    return True


def _refuse_name(session: Session, command: Command) -> None:
    verb = command.verb
    shown = command.argument or "(no argument given)"
    session.logs.reject(f"rejected {verb} from {session.full_host}: syntactically invalid argument(s): {shown}")
    text = f"Syntactically invalid {verb} argument(s)"
    counters = session.counters
    counters.syntax_errors += 1
    if counters.syntax_errors > session.main.smtp_max_synprot_errors:
        ending.too_many_errors(session, 501, text, is_plain=True)
    session.reply(501, text)


def _look_up_if_suspicious(session: Session, name: str) -> None:
    """Find out who the client really is if it uses a name of ours, or another of ``helo_lookup_domains``."""
    domains = session.main.helo_lookup_domains
    client = session.client
    if domains is None or not client.host_address or client.host_name is not None or client.host_lookup_failed:
        return
    try:
        is_suspicious = domains.match(name, session.context) is not None
    except (Defer, ExpandError):
        return
    if is_suspicious:
        from eximious.lists.host_name import look_up_client

        look_up_client(session.context)


def _is_verified_enough(session: Session, command: Command) -> bool:
    """Verify the name where that is asked for; False if the client has been refused."""
    if session.client.is_local:
        return True
    required = session.main.helo_verify_hosts is not None and session.is_client_in("helo_verify_hosts")
    wanted = required or (
        session.main.helo_try_verify_hosts is not None and session.is_client_in("helo_try_verify_hosts")
    )
    if not wanted:
        return True
    from eximious.acl.helo import verify_helo

    answer = verify_helo(session.context)
    if answer is True or not required:
        return True
    temporarily = "temporarily " if answer is None else ""
    session.logs.reject(f'{temporarily}rejected "{command.verb} {command.argument}" from {session.full_host}')
    session.reply(451 if answer is None else 550, f"{command.verb} argument does not match calling host")
    session.client.helo_name = ""
    return False


def _answer(session: Session, message: str) -> None:
    client = session.client
    if message:
        first, newline, _ = message.partition("\n")
        if newline:
            session.logs.panic(
                "EHLO/HELO response must not contain newlines: message truncated: "
                + session.logs.fields.printing(f"250 {message}" if not message[:3].isdigit() else message)
            )
        words = wording("250", first, session.complain)
        code, text = words.code, f"{words.extended} {words.text}".strip() if words.extended else words.text
    else:
        code = "250"
        ident = f"{client.ident} at " if client.ident else ""
        address = f" [{client.host_address}]" if client.host_address else ""
        text = f"{session.active_host_name} Hello {ident}{client.host_name or client.helo_name}{address}"
    if not session.is_esmtp:
        session.send(f"{code} {text}\r\n")
        return
    lines = [text, *_extensions(session)]
    before = "".join([f"{code}-{line}\r\n" for line in lines])
    session.send(f"{before}{code} HELP\r\n")


def _extensions(session: Session) -> list[str]:
    """The extensions that this client is offered, in Exim's order."""
    main = session.main
    lines: dict[str, str] = {}
    size = session.size_limit
    lines["SIZE"] = f"SIZE {size}" if size > 0 else "SIZE"
    limits = _limits(session) if _is_offered(session, "limits") else ""
    if limits:
        lines["LIMITS"] = f"LIMITS{limits}"
    if main.accept_8bitmime:
        lines["8BITMIME"] = "8BITMIME"
    if _is_offered(session, "dsn"):
        lines["DSN"] = "DSN"
    for verb in ("ETRN", "VRFY", "EXPN"):
        if getattr(main, f"acl_smtp_{verb.lower()}") is not None:
            lines[verb] = verb
    if session.settings.advertise_pipelining and _is_offered(session, "pipelining"):
        lines["PIPELINING"] = "PIPELINING"
    mechanisms = advertised_mechanisms(session)
    if mechanisms:
        lines["AUTH"] = f"AUTH {' '.join(mechanisms)}"
    if _is_offered(session, "chunking"):
        lines["CHUNKING"] = "CHUNKING"
    if session.client.tls is None and _is_offered(session, "tls"):
        lines["STARTTLS"] = "STARTTLS"
    if main.prdr_enable:
        lines["PRDR"] = "PRDR"
    session.advertised = frozenset(lines)
    return list(lines.values())


def _is_offered(session: Session, feature: str) -> bool:
    """True if the client is in the feature's list of hosts."""
    option = f"{feature}_advertise_hosts"
    return getattr(session.main, option) is not None and session.is_client_in(option)


def _limits(session: Session) -> str:
    """RFC 9422: how many messages and recipients we take."""
    main = session.main
    mails = main.smtp_accept_max_per_connection
    mail_max = _number(mails, session)
    limits = f" MAILMAX={mail_max}" if mail_max > 0 else ""
    recipients = main.recipients_max
    most = _number(recipients, session)
    return limits + (f" RCPTMAX={most}" if most > 0 else "")


def _number(value: object, session: Session) -> int:
    from eximious.receive.limits import expanded_integer

    return expanded_integer(value, session.context)

"""The beginning of a session: who is connecting, is it welcome, the banner."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.acl import where
from eximious.acl.verdict import ACCEPT
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.logs.log import MAIN, REJECT
from eximious.receive import ending, refusal
from eximious.receive.hosts import AT_START
from eximious.receive.limits import message_size_limit
from eximious.receive.replies import wording

if TYPE_CHECKING:
    from eximious.receive.session import Session


def begin(session: Session) -> bool:
    """Welcome the client; False if it was sent away."""
    client, main = session.client, session.main
    _name_ends(session)
    session.active_host_name = _active_host_name(session)
    if session.active_host_name != main.primary_hostname:
        client.active_host_name = session.active_host_name
    _set_size_limit(session)
    _log_connection(session)
    if not client.is_local and not _is_welcome(session):
        return False
    session.stream.timeout = _timeout(session)
    message = _run_acl(session)
    if message is None:
        return False
    if client.interface_port in main.tls_on_connect_ports and not client.is_local:
        from eximious.receive.commands.starttls import start_on_connect

        start_on_connect(session)
    session.check_synchronisation()
    _banner(session, message)
    return True


def _set_size_limit(session: Session) -> None:
    """What holds for all messages of the session."""
    try:
        session.size_limit = message_size_limit(session.context)
    except ExpandError as error:
        session.logs.panic(str(error))
        ending.closed(session, "Temporary local problem - please try later")


def _name_ends(session: Session) -> None:
    """Take the addresses from the connection, unless whoever made the session knows better."""
    client, stream = session.client, session.stream
    if not client.host_address and not client.is_local:
        client.host_address = stream.peer.address
        client.host_port = stream.peer.port
        client.interface_address = stream.local.address
        client.interface_port = stream.local.port
        client.is_local = not client.host_address


def _active_host_name(session: Session) -> str:
    name = session.main.smtp_active_hostname
    if name is None:
        return str(session.main.primary_hostname)
    if name.constant is not None:
        return str(name.constant)
    try:
        return name.expand(session.context) or str(session.main.primary_hostname)
    except ForcedFail:
        pass
    except (ExpandError, Defer) as error:
        session.logs.panic(f'failed to expand "{name.source}" (smtp_active_hostname): {error}')
        session.reply(421, f"{session.main.primary_hostname} internal error")
        raise ending.Ended from None
    return str(session.main.primary_hostname)


def _timeout(session: Session) -> float:
    from eximious.receive.limits import receive_timeout

    return receive_timeout(session)


def _is_welcome(session: Session) -> bool:
    """The checks that come before any ACL."""
    main, client = session.main, session.client
    is_traced = session.context.trace is not None
    if is_traced:
        session.is_client_in("hosts_connection_nolog")
    if (is_traced or main.host_lookup is not None) and session.is_client_in("host_lookup"):
        from eximious.lists.host_name import look_up_client

        look_up_client(session.context)
    if main.rfc1413_query_timeout > 0 and session.is_client_in("rfc1413_hosts"):
        from eximious.receive.ident import ask

        client.ident = ask(client, main.rfc1413_query_timeout, main.rfc1413_port)
    if (is_traced or main.host_reject_connection is not None) and session.is_client_in("host_reject_connection"):
        logs = (MAIN, REJECT) if "connection_reject" in session.logs.selected else (REJECT,)
        session.logs.write(logs, f"refused connection from {session.full_host} (host_reject_connection)")
        session.reply(554, "SMTP service not available")
        return False
    for option in AT_START:
        if is_traced or getattr(main, option) is not None:
            session.is_client_in(option)  # it may look up the client's name, and the greeting is to have it
    return _has_load_to_spare(session)


def _log_connection(session: Session) -> None:
    """Log that there is a connection, if the log selector wants it and the client is not in hosts_connection_nolog."""
    if "smtp_connection" not in session.logs.selected or session.is_client_in("hosts_connection_nolog"):
        return
    session.facts["connection_logged"] = True
    client, fields = session.client, session.logs.fields
    count = session.context.facts.get("connection_count")
    if count and client.host_address:
        interface = fields.interface(client.interface_address, client.interface_port)
        who = f"{fields.full_host(client)}{interface}{fields.ident(client)}"
        session.logs.main(f"SMTP connection from {who} (TCP/IP connection count = {count})")
    else:
        session.logs.main(session.connection_text)


def _has_load_to_spare(session: Session) -> bool:
    limit = session.main.smtp_load_reserve
    if limit is None or limit < 0:
        return True
    load = os.getloadavg()[0]
    if load > limit and not session.is_client_in("smtp_reserve_hosts"):
        if "connection_reject" in session.logs.selected:
            session.logs.main(
                f"temporarily refused connection from {session.full_host}: not in reserve list and load average = "
                f"{load:.2f}"
            )
        session.reply(421, f"{session.active_host_name}: Too much load; please try again later")
        return False
    return True


def _run_acl(session: Session) -> str | None:
    """What the ACL for connections says: the message that replaces the banner, or None if the client is refused."""
    option = session.main.acl_smtp_connect
    if option is None:
        return ""
    verdict = session.check(option, where.CONNECT)
    if verdict.result == ACCEPT:
        return verdict.user_message
    if session.client.interface_port in session.main.tls_on_connect_ports and not session.client.is_local:
        refusal.log(session, where.CONNECT, verdict)  # a client that wants TLS first understands no reply
        return None
    refusal.connection(session, verdict)
    return None


def _banner(session: Session, message: str) -> None:
    """The greeting: ``smtp_banner``, or what the ACL said instead."""
    code = "220"
    text = message
    if not text:
        banner = session.main.smtp_banner
        try:
            text = banner.expand(session.context) if banner is not None else ""
        except (ExpandError, Defer) as error:
            session.logs.panic(f'Expansion of "{banner.source}" (smtp_banner) failed: {error}')
            ending.closed(session, "Unexpected failure, please try later")
        lines = text.rstrip("\n").split("\n")
        before = "".join(f"{code}-{line}\r\n" for line in lines[:-1])
        session.send(f"{before}{code} {lines[-1]}\r\n")
        return
    session.send(wording(code, text, session.complain).lines())

"""Opening a connection to a host: banner, EHLO, TLS, authentication.

(Exim specification, "Outgoing SMTP and LMTP over TCP/IP", chapters about TLS and authentication; RFC 5321, 3207, 4954.)
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.net.connect import connect
from eximious.retry.errors import CONNECTING, FROM_A, FROM_MX
from eximious.send.connection import Connection
from eximious.send.dialogue import Dialogue
from eximious.send.failure import Failure, refusal
from eximious.smtp.features import Features
from eximious.transports.base import expand
from eximious.transports.outcome import (
    AUTHENTICATION_FAILED,
    EXPAND_FAILED,
    TLS_FAILURE,
    TLS_REQUIRED,
    Unable,
    deferred,
)

if TYPE_CHECKING:
    from eximious.address.delivery import Host
    from eximious.context import Context
    from eximious.transports.smtp import Smtp

DEFAULT_PORTS: Final = {"smtp": 25, "smtps": 465, "lmtp": 24}
BANNER: Final = "initial connection"


def is_listed(transport: Smtp, option: str, host: Host, context: Context) -> bool:
    """True if the host is on a list of the transport. Raises Failure if that cannot be known now."""
    hosts: Any = getattr(transport, option)
    if hosts is None:
        return False
    try:
        return hosts.match(host, context) is not None
    except Defer as error:
        raise Failure(f"{option}: {error}", EXPAND_FAILED) from error


def default_port(transport: Smtp, context: Context) -> int:
    """The port option, or what goes with the protocol. Raises Unable."""
    text = expand(transport, "port", context).strip()
    if not text:
        return DEFAULT_PORTS.get(transport.protocol or "smtp", 25)
    if text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    import socket

    try:
        return socket.getservbyname(text, "tcp")
    except OSError:
        raise Unable(deferred(f'TCP port "{text}" is not defined for {transport.name} transport')) from None


def interface_for(transport: Smtp, host: Host, context: Context) -> str:
    """Our address for connections to the host, from the interface option: one of its family. Raises Unable."""
    if transport.interface is None:
        return ""
    from eximious.config.lists import split

    try:
        text = transport.interface.expand(context)
    except ForcedFail:
        return ""
    except (ExpandError, Defer) as error:
        text = f'failed to expand "interface" option for {transport.name} transport: {error}'
        raise Unable(deferred(text, EXPAND_FAILED)) from error
    for item in split(text):
        if (":" in item) == (":" in host.address):
            return item
    return ""


def hello_name(transport: Smtp, context: Context) -> str:
    """helo_data. Raises Failure."""
    template = transport.helo_data
    if template is None:
        return str(context.config.main.primary_hostname)
    try:
        return template.constant or template.expand(context)
    except (ExpandError, Defer) as error:
        text = f"failed to expand helo_data: {error}"
        raise Failure(text, EXPAND_FAILED) from error


def more_errno_of(host: Host) -> int:
    """How the host was found, for retry rules."""
    return FROM_A if host.mx is None else FROM_MX


def open_connection(
    transport: Smtp, host: Host, context: Context, what: str = "delivering unencrypted to H=", *, with_auth: bool = True
) -> Connection:
    """A connection that is ready for a message. The context's `host` and `sending` are set. Raises Failure, Unable.

    Where TLS fails and may be done without, a second connection is in the clear; `what` begins the log line about it.
    """
    try:
        return _open(transport, host, context, in_clear=False, with_auth=with_auth)
    except Failure as failure:
        if not failure.is_tls or not _may_go_on_in_clear(transport, host, context):
            raise
        text = f"{failure.message}: {what}{host.name} [{host.address}] (not in hosts_require_tls)"
        context.services.logs.main(text, context.message.id)
    return _open(transport, host, context, in_clear=True, with_auth=with_auth)


def _may_go_on_in_clear(transport: Smtp, host: Host, context: Context) -> bool:
    if transport.protocol == "smtps" or not transport.tls_tempfail_tryclear:
        return False
    return not is_listed(transport, "hosts_require_tls", host, context)


def _open(transport: Smtp, host: Host, context: Context, *, in_clear: bool, with_auth: bool) -> Connection:
    interface = interface_for(transport, host, context)
    connection = _connect(transport, host, context, interface)
    context.sending = connection
    try:
        _greet(connection, context, in_clear=in_clear)
        if with_auth:
            authenticate(connection, context)
    except BaseException:
        connection.quit()
        context.sending = None
        raise
    connection.identity = (interface, connection.hello)
    return connection


def _connect(transport: Smtp, host: Host, context: Context, interface: str) -> Connection:
    dialogue = Dialogue(context.services.show_dialogue) if context.services.show_dialogue is not None else None
    if dialogue is not None:
        dialogue.connecting(host)
    try:
        stream = connect(
            host.address,
            host.port,
            interface=interface,
            timeout=transport.connect_timeout or None,
            keepalive=transport.keepalive,
            options=_socket_options(transport, host, context),
        )
    except OSError as error:
        number = error.errno or 0
        if number == errno.EADDRNOTAVAIL and interface:
            context.services.logs.main(f"bind of [{interface}]:{host.port} failed", context.message.id)
        if dialogue is not None:
            dialogue.not_connected(error.strerror or str(error))
        more = more_errno_of(host) | (CONNECTING if number == errno.ETIMEDOUT else 0)
        failure = Failure("", number, more_errno=more)
        failure.connected = False
        raise failure from error
    connection = Connection(stream, host, transport, transport.protocol or "smtp")
    if dialogue is not None:
        dialogue.connected()
        connection.dialogue = dialogue
    context.facts["sending_ip_address"] = stream.local.address
    context.facts["sending_port"] = stream.local.port
    return connection


def _socket_options(transport: Smtp, host: Host, context: Context) -> list[tuple[int, int, int]]:
    text = expand(transport, "dscp", context).strip()
    if not text:
        return []
    from eximious.net.dscp import socket_option

    option = socket_option(text, is_ipv6=":" in host.address)
    return [option] if option is not None else []


def _greet(connection: Connection, context: Context, *, in_clear: bool) -> None:
    transport, host = connection.transport, connection.host
    connection.hello = hello_name(transport, context)
    timeout = transport.command_timeout
    if transport.protocol == "smtps" and not in_clear:
        start_tls(connection, context, on_connect=True)
    banner = connection.banner(timeout)
    connection.sent.greeting = str(banner)
    if not banner.is_positive:
        raise refusal(BANNER, banner, number=0)
    esmtp = connection.is_lmtp or not is_listed(transport, "hosts_avoid_esmtp", host, context)
    say_hello(connection, esmtp=esmtp)
    if transport.protocol == "smtps" or in_clear:
        return
    _maybe_start_tls(connection, context)


def say_hello(connection: Connection, *, esmtp: bool) -> None:
    """EHLO, and HELO if that is refused; LHLO for LMTP. Raises Failure."""
    timeout = connection.transport.command_timeout
    if esmtp:
        verb = "LHLO" if connection.is_lmtp else "EHLO"
        line = f"{verb} {connection.hello}"
        reply = connection.ask(line, timeout)
        connection.sent.hello_reply = str(reply)
        connection.sent.steps += verb[0].lower()
        if reply.is_positive:
            connection.is_esmtp = True
            connection.features = Features(reply)
            connection.uses_pipelining = "PIPELINING" in connection.features
            return
        if connection.is_lmtp:
            raise refusal(line, reply)
    line = f"HELO {connection.hello}"
    reply = connection.ask(line, timeout)
    connection.sent.hello_reply = str(reply)
    connection.sent.steps += "h"
    if not reply.is_positive:
        raise refusal(line, reply)
    connection.features = Features()


# --- TLS ------------------------------------------------------------------------------------------------------------


def _maybe_start_tls(connection: Connection, context: Context) -> None:
    """STARTTLS, if it is offered and wanted. Raises Failure if it is required and cannot be had."""
    transport, host = connection.transport, connection.host
    required = is_listed(transport, "hosts_require_tls", host, context)
    if "STARTTLS" not in connection.features:
        if required:
            raise Failure("a TLS session is required, but the server did not offer TLS support", TLS_REQUIRED)
        return
    if not required and avoids_tls(transport, host, context):
        return
    reply = connection.ask("STARTTLS", transport.command_timeout)
    if not reply.is_positive:
        if required:
            raise Failure("a TLS session is required, but an attempt to start TLS failed", TLS_REQUIRED)
        if reply.is_temporary and not transport.tls_tempfail_tryclear:
            failure = refusal("STARTTLS", reply)
            failure.permanent = False
            raise failure
        return
    start_tls(connection, context)
    say_hello(connection, esmtp=True)


def avoids_tls(transport: Smtp, host: Host, context: Context) -> bool:
    """True if the configuration wants no TLS with this host, or none while verifying."""
    if context.verifying and is_listed(transport, "hosts_verify_avoid_tls", host, context):
        return True
    return is_listed(transport, "hosts_avoid_tls", host, context)


def start_tls(connection: Connection, context: Context, *, on_connect: bool = False) -> None:
    """Shake hands. Raises Failure, with `is_tls`."""
    from eximious.send.tls import client_context, server_name

    transport, host = connection.transport, connection.host
    try:
        tls_context = client_context(transport, host, context)
        name = server_name(transport, context)
        connection.stream.timeout = transport.command_timeout or None
        session = connection.stream.start_tls_client(tls_context, name)
    except OSError as error:
        text = str(error) if type(error).__name__ == "TlsError" else f"(SSL_connect): {_os_text(error)}"
        failure = Failure(f"TLS session: {text}", TLS_FAILURE)
        failure.is_tls = True
        failure.is_gone = True
        connection.is_broken = True
        raise failure from error
    finally:
        for complaint in connection.stream.tls_complaints:
            context.services.logs.main(f"[{host.address}] {complaint}", context.message.id)
    connection.protocol.start_tls()
    session.on_connect = on_connect
    connection.sent.tls = session
    connection.sent.steps += "s"


def _os_text(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    return error.strerror or str(error)


# --- authentication ---------------------------------------------------------------------------------------------------


def authenticate(connection: Connection, context: Context) -> None:
    """AUTH with the authenticators that both sides know, where that is wanted. Raises Failure."""
    transport, host = connection.transport, connection.host
    if transport.hosts_try_auth is None and transport.hosts_require_auth is None:
        return
    required = is_listed(transport, "hosts_require_auth", host, context)
    if not required and not is_listed(transport, "hosts_try_auth", host, context):
        return
    offered = connection.features.auth_mechanisms
    if not offered:
        if required:
            why = "host did not advertise AUTH support" if connection.is_esmtp else "it was not advertised"
            raise Failure(f"authentication required but {why}", AUTHENTICATION_FAILED)
        return
    if _try_authenticators(connection, context, offered):
        connection.is_authenticated = True
        return
    if required:
        text = "authentication required but authentication attempt(s) failed"
        raise Failure(text, AUTHENTICATION_FAILED)


def _try_authenticators(connection: Connection, context: Context, offered: list[str]) -> bool:
    from eximious.authenticators.base import authenticate_to
    from eximious.authenticators.exchange import ClientExchange, ClientStatus

    timeout = connection.transport.command_timeout

    def command(line: str) -> tuple[int, str]:
        reply = connection.ask(line, timeout)
        return reply.code, reply.text

    for authenticator in context.config.authenticators:
        if not authenticator.is_client or authenticator.mechanism.upper() not in offered:
            continue
        result = authenticate_to(authenticator, ClientExchange(command, authenticator.mechanism), context)
        if result.status is ClientStatus.OK:
            connection.sent.authenticator = authenticator.name
            connection.sent.steps += "a"
            connection.sent.authenticated_id = result.set_id
            return True
        _log_failure(connection, context, authenticator.name, result)
        if result.status is ClientStatus.ERROR:
            text = f"authenticator {authenticator.name}: {result.message}"
            raise Failure(text, AUTHENTICATION_FAILED)
    return False


def _log_failure(connection: Connection, context: Context, name: str, result: Any) -> None:
    """An attempt that failed is logged; the next authenticator may do better."""
    host = connection.host
    where = f"H={host.name} [{host.address}]"
    if result.reply:
        context.services.logs.main(f"{name} authenticator failed {where} {result.reply}", context.message.id)
    elif result.message:
        context.services.logs.main(
            f"{name} authenticator cancelled: authentication {where} {result.message}", context.message.id
        )

"""Asking a server something over a socket: for ``${readsocket`` and the readsock lookup."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import EximiousError

if TYPE_CHECKING:
    import socket

    from eximious.context import Context

MOST_OCTETS: Final = 16 * 1024 * 1024  # of an answer


class SocketError(EximiousError):
    """There was no answer; `str()` says why, in Exim's words."""


class Request:
    """Whom to ask what: ``/path/of/socket`` or ``inet:host:port``, and how."""

    __slots__ = ("name", "shuts_down", "sni", "text", "timeout", "uses_cache", "uses_tls")

    def __init__(self, name: str, text: str, timeout: float) -> None:
        self.name = name
        self.text = text
        self.timeout = timeout
        self.shuts_down = True  # say that nothing more will come, once the request is sent
        self.uses_tls = False
        self.sni = ""
        self.uses_cache = False  # the answer may serve the same request again while the message is dealt with

    def set(self, word: str) -> None:
        """One option: ``shutdown=no``, ``tls=yes``, ``sni=name``; others are left alone."""
        name, _, value = word.partition("=")
        if name == "shutdown":
            self.shuts_down = value != "no"
        elif name == "cache":
            self.uses_cache = value == "yes"
        elif name == "tls":
            self.uses_tls = value == "yes"
        elif name == "sni" and value:
            self.sni = value
            self.uses_tls = True


def ask(request: Request, context: Context) -> str:
    """The whole answer, perhaps of an earlier time. Raises SocketError."""
    cache = context.named_list_cache
    answers: dict[str, str] = cache.setdefault(("readsocket", request.name), {})
    if request.uses_cache and request.text in answers:
        return answers[request.text]
    answer: str = context.services.lookups.in_thread(_ask, request, _targets(request.name, context))
    if request.uses_cache:
        answers[request.text] = answer
    else:
        answers.clear()
    return answer


def _targets(name: str, context: Context) -> list[Any]:
    """What to connect to, in order: paths, or addresses with ports."""
    if not name.startswith("inet:"):
        return [name]
    host, colon, port_text = name[5:].rpartition(":")
    if not colon or not host:
        raise SocketError(f"missing port for readsocket {name}")
    port = _port(port_text)
    bare = host.strip("[]")
    from eximious.expand.ip import ip_version

    if ip_version(bare):
        return [(bare, port)]
    addresses: list[str] = context.services.dns.hosts(bare, qualify_single=True).data()
    if not addresses:
        from eximious.lists.host_name import system_addresses

        addresses = system_addresses(bare)
    if not addresses:
        raise SocketError(f"no IP address found for host {bare}")
    return [(address, port) for address in addresses]


def _port(text: str) -> int:
    import socket

    if text.isdecimal() and text.isascii():
        return int(text[:6])
    try:
        return socket.getservbyname(text, "tcp")
    except (OSError, UnicodeError):
        raise SocketError(f'unknown port "{text}"') from None


def _ask(request: Request, targets: list[Any]) -> str:
    connection = _connected(request, targets)
    with connection:
        secured = _secured(connection, request)
        with secured:
            _send(secured, request)
            return _receive(secured, request).decode("latin-1")


def _connected(request: Request, targets: list[Any]) -> socket.socket:
    import socket

    error: OSError | None = None
    for target in targets:
        family = socket.AF_UNIX if isinstance(target, str) else socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(request.timeout)
        try:
            connection.connect(target)
        except (OSError, ValueError) as failure:
            connection.close()
            error = failure if isinstance(failure, OSError) else OSError(0, str(failure))
        else:
            return connection
    assert error is not None
    reason = os.strerror(error.errno) if error.errno else str(error)
    if isinstance(targets[0], str):
        raise SocketError(f"failed to connect to socket {targets[0]}: {reason}")
    host = request.name[5:].rpartition(":")[0]
    raise SocketError(f"failed to connect to any address for {host}: {reason}")


def _secured(connection: socket.socket, request: Request) -> socket.socket:
    if not request.uses_tls:
        return connection
    import ssl

    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname = False
    settings.verify_mode = ssl.CERT_NONE
    try:
        return settings.wrap_socket(connection, server_hostname=request.sni or None)
    except OSError as error:
        raise SocketError(f"TLS connect to socket failed: {error}") from None


def _send(connection: socket.socket, request: Request) -> None:
    import socket

    try:
        if request.text:
            connection.sendall(request.text.encode("latin-1"))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SocketError(f"request write to socket failed: {reason}") from None
    if request.shuts_down and not request.uses_tls:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)


def _receive(connection: socket.socket, request: Request) -> bytes:
    end = time.monotonic() + request.timeout
    parts: list[bytes] = []
    size = 0
    while True:
        left = end - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
            part = connection.recv(65536)
        except TimeoutError:
            raise SocketError("socket read timed out") from None
        except ConnectionResetError:
            part = b""  # an end like any other, for a server that did not read the whole request
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise SocketError(f"socket read failed: {reason}") from None
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > MOST_OCTETS:
            raise SocketError("socket sent too much")

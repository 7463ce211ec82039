"""redis: commands to a Redis server or cluster.

A server is ``host::port/database/password``, ``(/path/of/socket)/database/password`` and so on; beyond Exim,
``/database/user/password`` for servers with users, and ``host::port[tls]`` for TLS.
"""

from __future__ import annotations

import os
import re
from binascii import crc_hqx
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer
from eximious.lookups.base import Found, Options, Passing, QueryLookup, lookups
from eximious.lookups.pool import Pool
from eximious.lookups.resp import Connection, ErrorReply, ProtocolError
from eximious.lookups.servers import LIMIT_OPTIONS, Limits, Server, addresses_of, first_answer, servers_for

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.net.stream import Stream

PORT: Final = 6379
MOST_WORDS: Final = 32  # of a command
MOST_REDIRECTIONS: Final = 5  # in a cluster
SLOTS: Final = 16384  # of a cluster, among which the keys are distributed
MOST_OWNERS: Final = 2 * SLOTS  # that are remembered

_WORD = re.compile(r"((?:[^ \t\n\r\f\v\\]|\\.)+)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r"[ \t\n\r\f\v\\]")


class Connections(Pool[Connection]):
    """Open connections, the settings of TLS by server, and who of a cluster has which keys."""

    def __init__(self) -> None:
        super().__init__(Connection.close)
        self.tls: dict[str, Any] = {}
        self.owners: dict[tuple[str, int], Server] = {}  # by the server that was asked first, and the key's slot


class Redis(QueryLookup):
    """The reply: a text as it is, an array a line each, nothing as an empty text; a number as ``true`` or ``false``.

    With ``ret=number`` a number is given as such. ``connect`` and ``timeout`` limit the time.
    """

    name = "redis"
    options = ("servers", "ret", *LIMIT_OPTIONS)

    def find_query(self, context: Context, query: str, options: Options) -> Found:
        servers, query = servers_for(context, "redis", "REDIS", query, options)
        limits = Limits(options)
        words = [_ESCAPED.sub(r"\1", word) for word in _WORD.findall(query)][:MOST_WORDS]
        if not words:
            raise Defer("REDIS: empty command")
        command = [word.encode("latin-1") for word in words]
        reply = first_answer(servers, lambda server: _asked(server, command, limits, context))
        return _shown(reply, as_number=options.get("ret") == "number")

    def quote(self, text: str, option: str = "") -> str | None:
        return _TO_ESCAPE.sub(r"\\\g<0>", text)


def _asked(server: Server, command: list[bytes], limits: Limits, context: Context) -> Any:
    """The server's reply; one that a cluster's other member has is fetched there. Raises Defer."""
    pool: Connections = context.services.lookups.connections.setdefault("redis", Connections())
    place = (server.text, _slot(command[1])) if len(command) > 1 else None
    if place is not None and (owner := pool.owners.get(place)) is not None:
        try:
            return _followed(owner, command, limits, pool, context, place)
        except Defer:
            pool.owners.pop(place, None)  # it may be gone, and another have its keys
    return _followed(server, command, limits, pool, context, place)


def _followed(
    server: Server,
    command: list[bytes],
    limits: Limits,
    pool: Connections,
    context: Context,
    place: tuple[str, int] | None,
) -> Any:
    """The reply after all redirections. Who has the keys is remembered; who will have one soon is not."""
    asking = False
    for _ in range(MOST_REDIRECTIONS):
        reply = _one(server, command, limits, pool, context, asking=asking)
        if not isinstance(reply, ErrorReply):
            return reply
        kind, _, rest = reply.text.partition(" ")
        if kind not in ("MOVED", "ASK"):
            raise Defer(f"REDIS: query failed: {reply.text}")
        server = _redirected(server, rest.rpartition(" ")[2])
        asking = kind == "ASK"
        if place is not None and not asking:
            if len(pool.owners) >= MOST_OWNERS:
                pool.owners.clear()
            pool.owners[place] = server
    raise Defer("REDIS: the cluster redirects for ever")


def _slot(key: bytes) -> int:
    """The slot of a cluster in which a key is: that of what is in braces, if there is something."""
    start = key.find(b"{")
    end = key.find(b"}", start + 1) if start >= 0 else -1
    return crc_hqx(key[start + 1 : end] if end > start + 1 else key, 0) % SLOTS


def _redirected(server: Server, address: str) -> Server:
    """The same credentials for another member; a member that gives no host means itself."""
    host, _, port = address.rpartition(":")
    group = f"[{server.group}]" if server.group else ""
    return Server("/".join([f"[{host or server.host}]:{port}{group}", *server.fields]))


def _one(
    server: Server, command: list[bytes], limits: Limits, pool: Connections, context: Context, *, asking: bool
) -> Any:
    """One command to one server, over a connection of the pool if there is one that still works."""

    def ask(connection: Connection) -> Any:
        if asking:
            connection.call([b"ASKING"], limits.answer)
        return connection.call(command, limits.answer)

    with pool.turn(server.text, limits.answer):
        try:
            return pool.use(server.text, lambda: _connected(server, limits, pool, context), ask)
        except (OSError, ProtocolError) as error:
            raise Defer(f"REDIS: query failed: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else str(error)


def _connected(server: Server, limits: Limits, pool: Connections, context: Context) -> Connection:
    """A connection that has authenticated and chosen its database. Raises Defer."""
    from eximious.net.connect import connect

    error: OSError | None = None
    for address in addresses_of(server, context):
        try:
            stream = connect(address, server.port or PORT, timeout=limits.connect)
        except OSError as failure:
            error = failure
            continue
        connection = Connection(stream)
        try:
            if server.group:
                _encrypt(stream, server, pool, context)
            _introduce(connection, server, limits.connect)
        except (OSError, ProtocolError) as failure:
            connection.close()
            raise Defer(f"REDIS connection failed: {_reason(failure)}") from None
        return connection
    assert error is not None
    raise Defer(f"REDIS connection failed: {_reason(error)}")


def _encrypt(stream: Stream, server: Server, pool: Connections, context: Context) -> None:
    """TLS from the first octet on, as ``[tls]`` after host and port asks for. Raises OSError or ProtocolError."""
    from eximious.expand.ip import ip_version
    from eximious.tls.errors import TlsError

    if server.group != "tls":
        raise ProtocolError(f'unknown word "{server.group}" after the server: "tls" is known')
    name = "localhost" if server.socket else server.host
    try:
        settings = pool.tls.get(name)
        if settings is None:
            settings = pool.tls[name] = _tls_context(context.config.main, name)
        stream.start_tls_client(settings, "" if ip_version(name) else name)
    except TlsError as error:
        raise ProtocolError(f"TLS: {error}") from None


def _tls_context(main: Any, name: str) -> Any:
    from eximious.tls.context import ClientContext, Verify

    return ClientContext(
        certificates=[main.redis_tls_certificate] if main.redis_tls_certificate else (),
        private_keys=[main.redis_tls_privatekey] if main.redis_tls_privatekey else (),
        verify=Verify.REQUIRE,
        verify_certificates=main.redis_tls_verify_certificates,
        verify_names=(name,),
    )


def _introduce(connection: Connection, server: Server, limit: float) -> None:
    """``/database/password`` or ``/database/user/password``."""
    database, *credentials = server.fields or [""]
    credentials = [word for word in credentials if word]
    if credentials:
        command = [b"AUTH", *[word.encode("latin-1") for word in credentials[:2]]]
        _demand(connection, command, limit, "authentication")
    if database:
        _demand(connection, [b"SELECT", database.encode("latin-1")], limit, f"selecting database {database}")


def _demand(connection: Connection, command: list[bytes], limit: float, what: str) -> None:
    reply = connection.call(command, limit)
    if isinstance(reply, ErrorReply):
        raise ProtocolError(f"{what} failed: {reply.text}")


def _shown(reply: Any, *, as_number: bool) -> Found:
    if reply is None:
        return Passing("")
    if isinstance(reply, int):
        return str(reply) if as_number else "true" if reply else "false"
    if isinstance(reply, list):
        return _listed(reply)
    text: str = reply.decode("latin-1")
    return text


def _listed(elements: list[Any]) -> str | None:
    """The elements of an array, a line each; those of an array in it begin after an empty line. None if there are none.

    What has no text (nothing, an array in such an array) leaves its line empty.
    """
    parts: list[str] = []
    for element in elements:
        if parts:
            parts.append("\n")
        if not isinstance(element, list):
            parts += _text(element)
            continue
        for inner in element:
            if parts:
                parts.append("\n")
            parts += _text(inner)
    return "".join(parts) if parts else None


def _text(element: Any) -> list[str]:
    """The text of an element, if it has one."""
    if isinstance(element, int):
        return [str(element)]
    return [element.decode("latin-1")] if isinstance(element, bytes) else []


lookups.register("redis")(Redis())

"""redis: commands to a Redis server or cluster."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer
from eximious.lookups.base import Options, QueryLookup, lookups
from eximious.lookups.resp import Connection, ErrorReply, ProtocolError
from eximious.lookups.servers import CONNECT_TIMEOUT, Pool, Server, addresses_of, servers_for

if TYPE_CHECKING:
    from eximious.context import Context

PORT: Final = 6379
MOST_WORDS: Final = 32  # of a command
MOST_REDIRECTIONS: Final = 5  # in a cluster

_WORD = re.compile(r"((?:[^ \t\n\r\f\v\\]|\\.)+)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r"[ \t\n\r\f\v\\]")


class Redis(QueryLookup):
    """The reply: a text as it is, an array a line each, nothing as an empty text; a number as ``true`` or ``false``.

    With ``ret=number`` a number is given as such.
    """

    name = "redis"
    options = ("servers", "ret")

    def find_query(self, context: Context, query: str, options: Options) -> str | None:
        servers, query = servers_for(context, "redis", "REDIS", query, options, 2)
        words = [_ESCAPED.sub(r"\1", word) for word in _WORD.findall(query)][:MOST_WORDS]
        if not words:
            raise Defer("REDIS: empty command")
        command = [word.encode("latin-1") for word in words]
        pool: Pool[Connection] = context.services.lookups.connections.setdefault("redis", Pool(_close))
        why = ""
        for server in servers:
            try:
                reply = _asked(server, command, pool, context)
            except Defer as error:
                why = str(error)
                continue
            return _shown(reply, as_number=options.get("ret") == "number")
        raise Defer(why)

    def quote(self, text: str, option: str = "") -> str | None:
        return _TO_ESCAPE.sub(r"\\\g<0>", text)


def _close(connection: Connection) -> None:
    connection.close()


def _asked(server: Server, command: list[bytes], pool: Pool[Connection], context: Context) -> Any:
    """The server's reply; one that a cluster's other member has is fetched there. Raises Defer."""
    asking = False
    for _ in range(MOST_REDIRECTIONS):
        reply = _one(server, command, pool, context, asking=asking)
        if not isinstance(reply, ErrorReply):
            return reply
        kind, _, rest = reply.text.partition(" ")
        if kind not in ("MOVED", "ASK"):
            raise Defer(f"REDIS: query failed: {reply.text}")
        server = _redirected(server, rest.rpartition(" ")[2])
        asking = kind == "ASK"
    raise Defer("REDIS: the cluster redirects for ever")


def _redirected(server: Server, address: str) -> Server:
    """The same credentials for another member; a member that gives no host means itself."""
    host, _, port = address.rpartition(":")
    return Server("/".join([f"[{host or server.host}]:{port}", *server.fields]))


def _one(server: Server, command: list[bytes], pool: Pool[Connection], context: Context, *, asking: bool) -> Any:
    """One command to one server, over a connection of the pool if there is one that still works."""
    while True:
        connection = pool.take(server.text)
        is_fresh = connection is None
        if connection is None:
            connection = _connected(server, context)
        try:
            if asking:
                connection.call([b"ASKING"])
            reply = connection.call(command)
        except (OSError, ProtocolError) as error:
            connection.close()
            if is_fresh or isinstance(error, TimeoutError):
                raise Defer(f"REDIS: query failed: {_reason(error)}") from None
            continue  # the server closed it meanwhile
        pool.put(server.text, connection)
        return reply


def _reason(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else str(error)


def _connected(server: Server, context: Context) -> Connection:
    """A connection that has authenticated and chosen its database. Raises Defer."""
    from eximious.net.connect import connect

    error: OSError | None = None
    for address in addresses_of(server, context):
        try:
            stream = connect(address, server.port or PORT, timeout=CONNECT_TIMEOUT)
        except OSError as failure:
            error = failure
            continue
        connection = Connection(stream)
        try:
            _introduce(connection, server)
        except (OSError, ProtocolError) as failure:
            connection.close()
            raise Defer(f"REDIS connection failed: {_reason(failure)}") from None
        return connection
    assert error is not None
    raise Defer(f"REDIS connection failed: {_reason(error)}")


def _introduce(connection: Connection, server: Server) -> None:
    """``/database/password`` or ``/database/user/password``."""
    database, *credentials = server.fields or [""]
    credentials = [word for word in credentials if word]
    if credentials:
        _demand(connection, [b"AUTH", *[word.encode("latin-1") for word in credentials[:2]]], "authentication")
    if database:
        _demand(connection, [b"SELECT", database.encode("latin-1")], f"selecting database {database}")


def _demand(connection: Connection, command: list[bytes], what: str) -> None:
    reply = connection.call(command)
    if isinstance(reply, ErrorReply):
        raise ProtocolError(f"{what} failed: {reply.text}")


def _shown(reply: Any, *, as_number: bool) -> str:
    if reply is None:
        return ""
    if isinstance(reply, int):
        return str(reply) if as_number else "true" if reply else "false"
    if isinstance(reply, list):
        return "\n".join(_element(element) for element in reply)
    text: str = reply.decode("latin-1")
    return text


def _element(element: Any) -> str:
    """An element of an array; of an array in an array, the elements are separated by spaces."""
    if element is None:
        return ""
    if isinstance(element, list):
        return " ".join(_element(one) for one in element)
    if isinstance(element, ErrorReply):
        return element.text
    return str(element) if isinstance(element, int) else element.decode("latin-1")


lookups.register("redis")(Redis())

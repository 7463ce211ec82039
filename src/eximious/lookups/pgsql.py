"""pgsql: queries to a PostgreSQL server. Needs the Python package psycopg."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer, ExpandError
from eximious.lookups.base import Options, QueryLookup, lookups
from eximious.lookups.servers import CONNECT_TIMEOUT, QUERY_TIMEOUT, Pool, Server, servers_for
from eximious.lookups.sql import row_text
from eximious.waiting import in_thread

if TYPE_CHECKING:
    from eximious.context import Context

PORT: Final = 5432
MOST_ROWS: Final = 100_000
_ESCAPES: Final = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\b": r"\b", "'": "''", '"': r"\"", "\\": r"\\"}
_TO_ESCAPE = re.compile(r"[\n\t\r\x08'\"\\]")


class PgSql(QueryLookup):
    """The rows of the result, a line each; the number of changed rows for a statement without a result."""

    name = "pgsql"
    options = ("servers",)

    def find_query(self, context: Context, query: str, options: Options) -> str | None:
        servers, query = servers_for(context, "pgsql", "PostgreSQL", query, options, 3)
        pool: Pool[Any] = context.services.lookups.connections.setdefault("pgsql", Pool(_close))
        why = ""
        for server in servers:
            try:
                return in_thread(_ask, server, query, pool)
            except Defer as error:
                why = str(error)
        raise Defer(why)

    def quote(self, text: str, option: str = "") -> str | None:
        return _TO_ESCAPE.sub(lambda found: _ESCAPES[found[0]], text)


def _close(connection: Any) -> None:
    connection.close()


def _ask(server: Server, query: str, pool: Pool[Any]) -> str | None:
    """The answer of one server. A connection that the server closed meanwhile is made again."""
    while True:
        connection = pool.take(server.text)
        is_fresh = connection is None
        if connection is None:
            connection = _connected(server)
        result = connection.pgconn.exec_(query.replace("\0", "").encode("latin-1"))
        if connection.pgconn.status == 0:
            break
        connection.close()
        if is_fresh:
            raise Defer(_message(result, query))
    try:
        return _answer(result, query)
    finally:
        pool.put(server.text, connection)


def _connected(server: Server) -> Any:
    try:
        import psycopg
    except ImportError:
        raise ExpandError('the lookup type "pgsql" needs the Python package psycopg') from None
    host, port = server.host, server.port or PORT
    if server.socket:
        host, port = _socket_place(server.socket)
    try:
        return psycopg.connect(
            host=host or None,
            port=port,
            dbname=server.field(0) or None,
            user=server.field(1) or None,
            password=server.field(2) or None,
            connect_timeout=int(CONNECT_TIMEOUT),
            options=f"-c statement_timeout={int(QUERY_TIMEOUT * 1000)}",
            autocommit=True,
        )
    except psycopg.Error as error:
        raise Defer(f"PGSQL connection failed: {str(error).removeprefix('connection failed: ')}") from None


def _socket_place(path: str) -> tuple[str, int]:
    """Directory and number of a socket such as ``/tmp/.s.PGSQL.5432``: that is how the library wants it."""
    folder, name = os.path.split(path)
    number = name.rpartition(".")[2]
    return folder, int(number) if number.isdecimal() else PORT


def _message(result: Any, query: str) -> str:
    from psycopg.pq import ExecStatus

    words = result.error_message.decode("latin-1")
    return f"PGSQL: query failed: {words} (PGRES_{ExecStatus(result.status).name}) ({query})\n"


def _answer(result: Any, query: str) -> str | None:
    from psycopg.pq import ExecStatus

    status = result.status
    if status == ExecStatus.COMMAND_OK or status == ExecStatus.EMPTY_QUERY:
        return "" if result.command_tuples is None else str(result.command_tuples)
    if status != ExecStatus.TUPLES_OK:
        raise Defer(_message(result, query))
    columns = range(result.nfields)
    names = [result.fname(column).decode("latin-1") for column in columns]
    lines = [
        row_text(names, [(result.get_value(row, column) or b"").decode("latin-1") for column in columns])
        for row in range(min(result.ntuples, MOST_ROWS))
    ]
    return "\n".join(lines) if lines else None


lookups.register("pgsql")(PgSql())

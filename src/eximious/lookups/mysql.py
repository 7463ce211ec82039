"""mysql: queries to a MySQL or MariaDB server. Needs the Python package PyMySQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer, ExpandError
from eximious.lookups.base import Options, QueryLookup, lookups
from eximious.lookups.servers import CONNECT_TIMEOUT, QUERY_TIMEOUT, Pool, Server, servers_for
from eximious.lookups.sql import row_text
from eximious.waiting import in_thread

if TYPE_CHECKING:
    from eximious.context import Context

PORT: Final = 3306
MOST_ROWS: Final = 100_000
_ESCAPES: Final = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\b": r"\b", "'": r"\'", '"': r"\"", "\\": r"\\"}
_TO_ESCAPE = re.compile(r"[\n\t\r\x08'\"\\]")


class MySql(QueryLookup):
    """The rows of the result, a line each; the number of changed rows for a statement without a result."""

    name = "mysql"
    options = ("servers",)

    def find_query(self, context: Context, query: str, options: Options) -> str | None:
        servers, query = servers_for(context, "mysql", "MySQL", query, options, 3)
        pool: Pool[Any] = context.services.lookups.connections.setdefault("mysql", Pool(_close))
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
    import pymysql

    connection = pool.take(server.text)
    if connection is not None:
        try:
            connection.ping(reconnect=False)
        except (pymysql.Error, OSError):
            connection.close()
            connection = None
    if connection is None:
        connection = _connected(server)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query.encode("latin-1"))
            answer = _answer(cursor)
    except (pymysql.Error, OSError) as error:
        connection.close()
        raise Defer(f"MYSQL: query failed: {_reason(error)}\n") from None
    pool.put(server.text, connection)
    return answer


def _reason(error: Exception) -> str:
    return str(error.args[1]) if len(error.args) > 1 else str(error)


def _connected(server: Server) -> Any:
    try:
        import pymysql
    except ImportError:
        raise ExpandError('the lookup type "mysql" needs the Python package PyMySQL') from None
    arguments: dict[str, Any] = {
        "database": server.field(0) or None,
        "user": server.field(1) or None,
        "password": server.field(2),
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": QUERY_TIMEOUT,
        "write_timeout": QUERY_TIMEOUT,
        "charset": "utf8mb4",
        "use_unicode": False,
        "conv": {},
        "autocommit": True,
    }
    if server.socket:
        arguments["unix_socket"] = server.socket
    else:
        arguments |= {"host": server.host or "localhost", "port": server.port or PORT}
    if server.group:
        arguments |= {"read_default_group": server.group, "read_default_file": "/etc/mysql/my.cnf"}
    try:
        return pymysql.connect(**arguments)
    except (pymysql.Error, OSError) as error:
        raise Defer(f"MYSQL connection failed: {_reason(error)}") from None


def _answer(cursor: Any) -> str | None:
    if cursor.description is None:
        return str(cursor.rowcount)
    names = [_text(column[0]) or "" for column in cursor.description]
    rows = cursor.fetchmany(MOST_ROWS)
    if len(names) == 1:
        rows = [row for row in rows if row[0] is not None]
    lines = [row_text(names, [_text(value) or "" for value in row]) for row in rows]
    return "\n".join(lines) if rows else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


lookups.register("mysql")(MySql())

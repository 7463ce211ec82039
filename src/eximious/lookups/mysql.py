"""mysql: queries to a MySQL or MariaDB server. Needs the Python package PyMySQL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer, ExpandError
from eximious.lookups.base import Found, Passing, lookups
from eximious.lookups.pool import Pool
from eximious.lookups.servers import Limits, Server
from eximious.lookups.sql import MOST_ROWS, rows_text, too_many_rows
from eximious.lookups.sql_server import SqlServerLookup

if TYPE_CHECKING:
    import socket

PORT: Final = 3306
USUAL_SOCKETS: Final = ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")
OPTION_FILES: Final = ("/etc/my.cnf", "/etc/mysql/my.cnf", "/etc/mysql/conf.d/exim.cnf")
DEFAULT_GROUP: Final = "exim"  # of settings in the option files


class MySql(SqlServerLookup):
    """The rows of the result, a line each; the number of changed rows for a statement without a result."""

    name = "mysql"
    product = short_name = "MySQL"

    def ask(self, server: Server, query: str, pool: Pool[Any], limits: Limits) -> Found:
        """The answer of one server. A connection that the server closed meanwhile is made again."""
        try:
            import pymysql
        except ImportError:
            raise ExpandError('the lookup type "mysql" needs the Python package PyMySQL') from None
        key = f"{server.text} {limits.answer:g}"  # the limit is one of the connection
        connection = pool.take(key)
        if connection is not None:
            try:
                connection.ping(reconnect=False)
            except (pymysql.Error, OSError):
                connection.close()
                connection = None
        if connection is None:
            connection = _connected(server, limits)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query.encode("latin-1"))
                answer = _answer(cursor)
        except (pymysql.Error, OSError) as error:
            connection.close()
            raise Defer(f"MYSQL: query failed: {_reason(error)}\n") from None
        except Defer:  # too many rows: the rest is still to come
            connection.close()
            raise
        pool.put(key, connection)
        return answer


def _reason(error: Exception) -> str:
    return str(error.args[1]) if len(error.args) > 1 else str(error)


def _connected(server: Server, limits: Limits) -> Any:
    import pymysql

    arguments: dict[str, Any] = {
        "database": server.field(0) or None,
        "user": server.field(1) or None,
        "password": server.field(2),
        "connect_timeout": limits.connect,
        "read_timeout": limits.answer,
        "write_timeout": limits.answer,
        "charset": "utf8mb4",
        "use_unicode": False,
        "conv": {},
        "autocommit": True,
    }
    path = server.socket
    if not path and server.host in ("", "localhost") and not server.port:
        path = next(filter(os.path.exists, USUAL_SOCKETS), "")
    if path:
        arguments["unix_socket"] = path
    else:
        arguments |= {"host": server.host or "localhost", "port": server.port or PORT}
    group = server.group or DEFAULT_GROUP
    option_file = next((path for path in OPTION_FILES if _has_group(path, group)), None)
    if option_file is not None:
        arguments |= {"read_default_group": group, "read_default_file": option_file}
    connection = pymysql.Connection(defer_connect=True, **arguments)
    target: Any = connection.unix_socket or (connection.host, connection.port)
    try:
        connection.connect(_plain_socket(target, limits.connect))
    except (pymysql.Error, OSError) as error:
        raise Defer(f"MYSQL connection failed: {_reason(error)}") from None
    return connection


def _plain_socket(target: str | tuple[str, int], timeout: float) -> socket.socket:
    """A connected socket; the library would leave one that cannot be connected open. Raises Defer or OSError."""
    import socket

    if not isinstance(target, str):
        try:
            return socket.create_connection(target, timeout)
        except OSError as error:
            raise Defer(f"MYSQL connection failed: Can't connect to server on '{target[0]}' ({error.errno})") from None
    plain = socket.socket(socket.AF_UNIX)
    try:
        plain.settimeout(timeout)
        plain.connect(target)
    except OSError as error:
        plain.close()
        what = f"local server through socket '{target}' ({error.errno})"
        raise Defer(f"MYSQL connection failed: Can't connect to {what}") from None
    return plain


def _has_group(path: str, group: str) -> bool:
    """Whether an option file has settings for a group."""
    try:
        with open(path, encoding="latin-1") as file:
            return any(line.strip() == f"[{group}]" for line in file)
    except OSError:
        return False


def _answer(cursor: Any) -> Found:
    if cursor.description is None:
        return Passing(str(cursor.rowcount))
    names = [_text(column[0]) or "" for column in cursor.description]
    rows = cursor.fetchmany(MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise too_many_rows()
    return rows_text(names, ([_text(value) for value in row] for row in rows))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


lookups.register("mysql")(MySql())

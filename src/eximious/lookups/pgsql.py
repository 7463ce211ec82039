"""pgsql: queries to a PostgreSQL server. Needs the Python package psycopg."""

from __future__ import annotations

import os
import select
from typing import Any, Final

from eximious.errors import Defer, ExpandError
from eximious.lookups.base import Found, Passing, lookups
from eximious.lookups.pool import Pool
from eximious.lookups.servers import Clock, Limits, Server
from eximious.lookups.sql import MOST_ROWS, rows_text, too_many_rows
from eximious.lookups.sql_server import SqlServerLookup

PORT: Final = 5432


class PgSql(SqlServerLookup):
    """The rows of the result, a line each; the number of changed rows for a statement without a result."""

    name = "pgsql"
    product = "PostgreSQL"
    short_name = "pgSQL"
    escapes = SqlServerLookup.escapes | {"'": "''"}

    def ask(self, server: Server, query: str, pool: Pool[Any], limits: Limits) -> Found:
        """The answer of one server. A connection that the server closed meanwhile is made again."""
        octets = query.replace("\0", "").encode("latin-1")

        def run(connection: Any) -> Any:
            result = _result(connection.pgconn, octets, limits.answer)
            if connection.pgconn.status != 0:
                raise ConnectionResetError(_message(result, query))
            return result

        try:
            result = pool.use(server.text, lambda: _connected(server, limits), run)
        except TimeoutError:
            raise Defer(f"PGSQL: query failed: no answer within {limits.answer:g} seconds ({query})\n") from None
        except ConnectionResetError as error:
            raise Defer(str(error)) from None
        return _answer(result, query)


def _result(pgconn: Any, query: bytes, limit: float) -> Any:
    """The result of the last command of a query. Raises TimeoutError."""
    from psycopg import OperationalError

    clock = Clock(limit)
    pgconn.nonblocking = 1
    try:
        pgconn.send_query(query)
        while pgconn.flush():
            _wait(pgconn, select.POLLIN | select.POLLOUT, clock)
            pgconn.consume_input()
        last = None
        while True:
            while pgconn.is_busy():
                _wait(pgconn, select.POLLIN, clock)
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                return last
            last = result
    except OperationalError as error:
        return Broken(str(error))


def _wait(pgconn: Any, events: int, clock: Clock) -> None:
    poller = select.poll()
    poller.register(pgconn.socket, events)
    if not poller.poll(clock.left() * 1000):
        raise TimeoutError


class Broken:
    """In place of a result, where the connection does not work any more."""

    status = 7  # PGRES_FATAL_ERROR

    def __init__(self, why: str) -> None:
        self.error_message = why.encode("latin-1", "replace")


def _connected(server: Server, limits: Limits) -> Any:
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
            connect_timeout=max(1, round(limits.connect)),
            options=f"-c statement_timeout={int(limits.answer * 1000)}",
            autocommit=True,
        )
    except psycopg.Error as error:
        why = str(error).removeprefix("connection failed: ").removeprefix("connection is bad: ")
        raise Defer(f"PGSQL connection failed: {why}\n") from None


def _socket_place(path: str) -> tuple[str, int]:
    """Directory and number of a socket such as ``/tmp/.s.PGSQL.5432``: that is how the library wants it."""
    folder, name = os.path.split(path)
    number = name.removeprefix(".s.PGSQL.")
    if number == name or not number.isdecimal():
        raise Defer(f"PGSQL invalid filename for socket: {path}")
    return folder, int(number)


def _message(result: Any, query: str) -> str:
    from psycopg.pq import ExecStatus

    words = result.error_message.decode("latin-1")
    return f"PGSQL: query failed: {words} (PGRES_{ExecStatus(result.status).name}) ({query})\n"


def _answer(result: Any, query: str) -> Found:
    from psycopg.pq import ExecStatus

    status = result.status
    if status == ExecStatus.EMPTY_QUERY:
        return None
    if status == ExecStatus.COMMAND_OK:  # how many rows it is about, for statements to which that applies
        return Passing(None if result.command_tuples is None else str(result.command_tuples))
    if status != ExecStatus.TUPLES_OK:
        raise Defer(_message(result, query))
    if result.ntuples > MOST_ROWS:
        raise too_many_rows()
    columns = range(result.nfields)
    names = [result.fname(column).decode("latin-1") for column in columns]
    rows = (
        [(result.get_value(row, column) or b"").decode("latin-1") for column in columns]
        for row in range(result.ntuples)
    )
    return rows_text(names, rows)


lookups.register("pgsql")(PgSql())

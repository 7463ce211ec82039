"""sqlite: queries to a database in a file."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import ExpandError
from eximious.expand.refusal import refuse_tainted
from eximious.lookups.base import Found, Options, Passing, QueryLookup, lookups
from eximious.lookups.sql import MOST_ROWS, double_quotes, row_text, too_many_rows
from eximious.taint import Tainted

if TYPE_CHECKING:
    import sqlite3

    from eximious.context import Context

LONGEST_QUERY: Final = 30.0  # seconds that a query may work
MOST_FILES: Final = 64  # that stay open


_PATH = re.compile(r"[^ \t\n\r\f\v]+")


class Database:
    """An open file, used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.lock = threading.Lock()


class Databases(dict[str, Database]):
    """Open files by path."""

    def close(self) -> None:
        """Close them all."""
        for database in self.values():
            database.connection.close()
        self.clear()


class Sqlite(QueryLookup):
    """The rows of the result, a line each; none found means absent."""

    name = "sqlite"
    options = ("file",)

    def find_query(self, context: Context, query: str, options: Options) -> Found:
        path, query = _file_of(context, query, options)
        databases: Databases = context.services.lookups.connections.setdefault("sqlite", Databases())
        timeout = float(context.config.main.sqlite_lock_timeout)
        found: str | None = context.services.lookups.in_thread(_find, databases, path, query, timeout)
        return Passing(None) if found is None else found

    def quote(self, text: str, option: str = "") -> str | None:
        return double_quotes(text)


def _file_of(context: Context, query: str, options: Options) -> tuple[str, str]:
    """The file to open, and the query without it: the file may stand before the query."""
    path = options.get("file") or _default_file(context)
    stripped = query.lstrip(" \t\n")
    if not options.get("file") and stripped.startswith("/"):
        named = _PATH.match(stripped)
        assert named is not None
        path = Tainted(named[0]) if query.__class__ is Tainted else named[0]
        query = stripped[named.end() :]
    if path.__class__ is Tainted:
        raise refuse_tainted(context, f"Tainted filename for search: '{path}'")
    if not path.startswith("/"):
        raise ExpandError('absolute file name expected for "sqlite" lookup')
    return path, query


def _default_file(context: Context) -> str:
    configured: Any = context.config.main.sqlite_dbfile
    if configured is None:
        return ""
    return configured if isinstance(configured, str) else configured.expand(context)


def _find(databases: Databases, path: str, query: str, timeout: float) -> str | None:
    import sqlite3

    database = databases.get(path) or _open(databases, path, timeout)
    with database.lock:
        end = time.monotonic() + LONGEST_QUERY
        database.connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        try:
            lines = [line for statement in _statements(query) for line in _lines(database.connection, statement)]
        except sqlite3.Error:
            return None
    return "\n".join(lines) if lines else None


def _open(databases: Databases, path: str, timeout: float) -> Database:
    import sqlite3

    try:
        connection = sqlite3.connect(
            path.encode("latin-1"), timeout=timeout, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise ExpandError(str(error)) from None
    connection.text_factory = bytes
    while len(databases) >= MOST_FILES:
        databases.pop(next(iter(databases))).connection.close()
    database = databases[path] = Database(connection)
    return database


def _statements(query: str) -> list[str]:
    """The statements of a query, which semicolons separate."""
    import sqlite3

    octets = query.encode("latin-1")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = query
    statements: list[str] = []
    waiting = ""
    for part in text.replace("\0", "").split(";"):
        waiting += part + ";"
        if sqlite3.complete_statement(waiting):
            statements.append(waiting)
            waiting = ""
    rest = waiting.removesuffix(";").strip()
    return [*statements, rest] if rest else [one for one in statements if one.strip(" \t\n;")]


def _lines(connection: sqlite3.Connection, statement: str) -> list[str]:
    cursor = connection.execute(statement)
    names = [_octets(column[0]) for column in cursor.description or ()]
    rows = cursor.fetchmany(MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise too_many_rows()
    return [row_text(names, [_text(value) for value in row]) for row in rows]


def _octets(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("latin-1")


def _text(value: Any) -> str | None:
    """A value as SQLite would write it; octets after a zero are not seen."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.partition(b"\0")[0].decode("latin-1")
    if isinstance(value, float):
        mantissa, e, exponent = f"{value:.15g}".partition("e")
        if mantissa.lstrip("-").isdecimal():
            mantissa += ".0"
        return mantissa + e + exponent
    return str(value)


lookups.register("sqlite")(Sqlite())

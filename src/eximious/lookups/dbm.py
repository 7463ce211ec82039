"""dbm, dbmnz, dbmjz: indexed files as Exim's exim_dbmbuild writes them: Berkeley DB, or SQLite where Exim uses that."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer
from eximious.lists.split import split
from eximious.lookups.base import Options, SingleKeyLookup, lookups

if TYPE_CHECKING:
    import sqlite3

    from eximious.context import Context

SQLITE_START: Final = b"SQLite format 3\0"


class SqliteTable:
    """A file of SQLite with one table of keys and data, as Exim 4.99 writes it where it is built so."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, key: bytes) -> bytes | None:
        """The datum of the key, or None."""
        import sqlite3

        try:
            row = self._connection.execute("SELECT dat FROM tblblob WHERE ky = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise Defer(f"dbm: {error}") from None
        return None if row is None else bytes(row[0])


class DbmLookup(SingleKeyLookup):
    """The data of the key, up to a zero octet at their end."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        from eximious.lookups.berkeley import DatabaseError

        database: Any = context.services.lookups.files.get(path, "dbm", "as a db (v4.1+) file", _read)
        try:
            found: bytes | None = database.get(self._octets(key))
        except DatabaseError as error:
            raise Defer(f"dbm: {path}: {error}") from None
        return None if found is None else found.partition(b"\0")[0].decode("latin-1")

    def _octets(self, key: str) -> bytes:
        """The key as it is in the file: with a zero octet at its end for dbm; a list joined by such for dbmjz."""
        if self.name == "dbmjz":
            return "\0".join(split(key)).encode("latin-1") + b"\0"
        return key.encode("latin-1") + (b"" if self.name == "dbmnz" else b"\0")


def _read(fd: int, status: os.stat_result) -> tuple[Any, int]:
    from eximious.lookups.berkeley import Database, DatabaseError

    if status.st_size == 0:
        raise Defer("dbm: the file is empty")
    data = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    if data[: len(SQLITE_START)] == SQLITE_START:
        return _sqlite(fd), 4096
    try:
        return Database(data), 4096
    except DatabaseError as error:
        raise Defer(f"dbm: {error}") from None


def _sqlite(fd: int) -> SqliteTable:
    import sqlite3

    path = os.readlink(f"/proc/self/fd/{fd}")
    return SqliteTable(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False))


lookups.register("dbm")(DbmLookup("dbm"))
for _name in ("dbmnz", "dbmjz"):
    lookups.register(_name)(DbmLookup(_name))

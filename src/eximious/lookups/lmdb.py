"""lmdb: Lightning Memory-mapped databases, in files of their own or in a directory, as ``mdb_load`` makes them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from eximious.errors import Defer, ExpandError
from eximious.lookups.base import Options, SingleKeyLookup, lookups
from eximious.lookups.files import reason
from eximious.lookups.lmdb_file import DatabaseError, LmdbFile

if TYPE_CHECKING:
    from eximious.context import Context

MOST_OPEN: Final = 64  # files that stay open
NAME_IN_DIRECTORY: Final = "data.mdb"

Identity = tuple[int, int]  # device and inode


class OpenFiles(dict[str, tuple[Identity, LmdbFile]]):
    """Open files by path, the least recently used first."""

    def close(self) -> None:
        """Close them all."""
        for _, file in self.values():
            file.close()
        self.clear()

    def get_file(self, path: str) -> LmdbFile:
        """The file as it is now: another may have taken its place. Raises ExpandError if it cannot be opened."""
        if not path.startswith("/"):
            raise _unusable(path, "not an absolute path")
        try:
            status = os.stat(path.encode("latin-1"))
            if stat.S_ISDIR(status.st_mode):
                path = f"{path}/{NAME_IN_DIRECTORY}"
                status = os.stat(path.encode("latin-1"))
            identity = (status.st_dev, status.st_ino)
            found = self.pop(path, None)
            if found is None or found[0] != identity:
                if found is not None:
                    found[1].close()
                found = _opened(path)
        except (OSError, ValueError) as error:
            raise _unusable(path, reason(error)) from None
        self[path] = found
        while len(self) > MOST_OPEN:
            self.pop(next(iter(self)))[1].close()
        return found[1]


def _opened(path: str) -> tuple[Identity, LmdbFile]:
    fd = os.open(path.encode("latin-1"), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(path, "not a regular file")
        return (status.st_dev, status.st_ino), LmdbFile(fd)
    finally:
        os.close(fd)


def _unusable(path: str, why: str) -> ExpandError:
    return ExpandError(f"LMDB: Unable to open environment with {path}: {why}")


class LmdbLookup(SingleKeyLookup):
    """The data of the key in the file's main database, or with ``db=NAME`` in a named one.

    With ``nul`` keys and data end in a zero octet, as Postfix writes them.
    """

    name = "lmdb"
    options = ("nul", "db")

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        files: OpenFiles = context.services.lookups.connections.setdefault("lmdb", OpenFiles())
        has_nul = options.get("nul", "no") not in ("no", "false")
        octets = key.encode("latin-1") + (b"\0" if has_nul else b"")
        try:
            found = files.get_file(path).get(octets, options.get("db", "").encode("latin-1"))
        except (DatabaseError, OSError) as error:
            raise Defer(f"LMDB: Lookup error: {path}: {error}") from None
        if found is None:
            return None
        return (found.removesuffix(b"\0") if has_nul else found).decode("latin-1")


lookups.register("lmdb")(LmdbLookup())

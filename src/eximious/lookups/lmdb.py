"""lmdb: Lightning Memory-mapped databases, in a file of their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import Defer, ExpandError
from eximious.lookups.base import Options, SingleKeyLookup, lookups

if TYPE_CHECKING:
    from eximious.context import Context

MOST_OPEN: Final = 64  # environments that stay open
LONGEST_KEY: Final = 511  # octets; what LMDB is built with


class Environment:
    """An open file, and which file that was: it may be replaced while we use it."""

    __slots__ = ("environment", "identity")

    def __init__(self, environment: Any, identity: tuple[int, int]) -> None:
        self.environment = environment
        self.identity = identity


class Environments(dict[str, Environment]):
    """Open files by path."""

    def close(self) -> None:
        """Close them all."""
        for opened in self.values():
            opened.environment.close()
        self.clear()


class LmdbLookup(SingleKeyLookup):
    """The data of the key in the file's main database. With ``nul`` keys end in a zero octet, as Postfix has them."""

    name = "lmdb"
    options = ("nul",)

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        import lmdb

        octets = key.encode("latin-1") + (b"\0" if "nul" in options else b"")
        if len(octets) > LONGEST_KEY:
            return None
        environments: Environments = context.services.lookups.connections.setdefault("lmdb", Environments())
        try:
            with _open(environments, path).begin() as transaction:
                found: bytes | None = transaction.get(octets)
        except lmdb.Error as error:
            raise Defer(f"LMDB: Lookup error: {error}") from None
        return None if found is None else found.decode("latin-1")


def _open(environments: Environments, path: str) -> Any:
    """The environment of the file as it is now. Raises ExpandError if it cannot be opened."""
    import lmdb

    if not path.startswith("/"):
        raise ExpandError(f"LMDB: Unable to open environment with {path}: not an absolute path")
    try:
        status = os.stat(path.encode("latin-1"))
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise ExpandError(f"LMDB: Unable to open environment with {path}: {reason}") from None
    identity = (status.st_dev, status.st_ino)
    found = environments.pop(path, None)
    if found is not None and found.identity != identity:
        found.environment.close()
        found = None
    if found is None:
        try:
            opened = lmdb.open(path, subdir=False, readonly=True, create=False, lock=_can_lock(path), max_dbs=0)
        except lmdb.Error as error:
            raise ExpandError(f"LMDB: Unable to open environment with {path}: {error}") from None
        found = Environment(opened, identity)
    environments[path] = found
    while len(environments) > MOST_OPEN:
        environments.pop(next(iter(environments))).environment.close()
    return found.environment


def _can_lock(path: str) -> bool:
    """Readers announce themselves in a lock file; where there may be none, we read without."""
    lock = f"{path}-lock"
    return os.access(lock if os.path.exists(lock) else os.path.dirname(path), os.W_OK)


lookups.register("lmdb")(LmdbLookup())

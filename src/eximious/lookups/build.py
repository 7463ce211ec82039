"""Making indexed files from files in lsearch's form, so that a lookup need not read all of them.

The new file is written beside the old one and takes its place only when it is complete and on disk: whoever looks
something up meanwhile finds either the old answer or the new one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from eximious.lookups.linear_file import entry_of, logical_lines
from eximious.lookups.lsearch import data as data_after_key
from eximious.octets import lower

Record = tuple[bytes, bytes]
Writer = Callable[[Iterable[Record], str], None]  # writes records to the path of a file that is empty

DEFAULT_MODE: Final = 0o640
LONGEST_LMDB_KEY: Final = 511  # octets; what the library is built with
BATCH: Final = 20_000  # records that LMDB writes in one transaction
UNSORTED: Final = ".unsorted"  # after the name of a file that is being made: what LMDB writes at first
LEAST_MAP: Final = 16 * 1024 * 1024  # octets of LMDB's map at first; it grows

SUFFIXES: Final = {".mdb": "lmdb", ".lmdb": "lmdb", ".cdb": "cdb", ".db": "dbm", ".dbm": "dbm"}


class BuildError(Exception):
    """The file cannot be made; `str()` says why, with the line if there is one to blame."""


class Builder:
    """Turns the lines of a source into the records of a file, and counts them."""

    def __init__(
        self, kind: str, *, keeps_case: bool = False, has_nul: bool = False, duplicates: str = "first"
    ) -> None:
        """`kind` is the lookup type; with `has_nul` keys and data end in a zero octet; `duplicates` says which of the
        lines with the same key counts: the ``first``, the ``last``, or neither: it is an ``error``."""
        self.kind = kind
        self.keeps_case = keeps_case
        self.duplicates = duplicates
        self.count = 0  # keys
        self.duplicate_count = 0
        self._end = b"\0" if has_nul or kind == "dbm" else b""

    def build(self, source_name: str, lines: Iterable[str], target: str, mode: int | None = None) -> None:
        """Make the file. Raises BuildError or OSError; then the old file is as it was.

        The permissions are those of the file that is replaced, or else `mode`.
        """
        target = os.path.realpath(target)
        if os.path.lexists(target) and not os.path.isfile(target):
            raise BuildError(f"{target} is not a regular file")
        temporary = f"{target}.{os.getpid()}.new"
        try:
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            _WRITERS[self.kind](self._records(source_name, lines), temporary)
            _take_place(temporary, target, mode)
        finally:
            for path in (temporary, temporary + UNSORTED):
                if os.path.lexists(path):
                    os.unlink(path)

    def _records(self, source_name: str, lines: Iterable[str]) -> Iterator[Record]:
        """Each key once."""
        seen: dict[bytes, bytes] = {}
        for number, line in logical_lines(lines):
            key_text, rest = entry_of(line)
            key = (key_text if self.keeps_case else lower(key_text)).encode("latin-1") + self._end
            if self.kind == "lmdb" and len(key) > LONGEST_LMDB_KEY:
                raise BuildError(f"{source_name}:{number}: the key is longer than {LONGEST_LMDB_KEY} octets")
            if key == b"":
                raise BuildError(f"{source_name}:{number}: the key is empty")
            data = data_after_key(rest).encode("latin-1") + self._end
            if key in seen:
                self.duplicate_count += 1
                if self.duplicates == "error":
                    raise BuildError(f"{source_name}:{number}: there was a line with the key {key_text!r} before")
                if self.duplicates == "last":
                    seen[key] = data
                continue
            self.count += 1
            seen[key] = data if self.duplicates == "last" else b""
            if self.duplicates != "last":
                yield key, data
        if self.duplicates == "last":
            yield from seen.items()


def _take_place(temporary: str, target: str, mode: int | None) -> None:
    """Give the new file the rights of the old one, and its name, once it is on disk."""
    try:
        old: os.stat_result | None = os.stat(target)
    except FileNotFoundError:
        old = None
    fd = os.open(temporary, os.O_RDWR | os.O_CLOEXEC)
    try:
        if old is not None:
            mode = stat.S_IMODE(old.st_mode)
            if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()) and os.geteuid() == 0:
                os.fchown(fd, old.st_uid, old.st_gid)
        os.fchmod(fd, DEFAULT_MODE if mode is None else mode)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(temporary, target)
    folder = os.open(os.path.dirname(target), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_cdb(records: Iterable[Record], path: str) -> None:
    from eximious.lookups.cdb_writer import CdbWriter, FileTooLarge

    with open(path, "wb") as file:
        writer = CdbWriter(file)
        try:
            for key, data in records:
                writer.add(key, data)
            writer.finish()
        except FileTooLarge:
            raise BuildError("a cdb file cannot have more than 4 GiB; make an LMDB file instead") from None


def _write_dbm(records: Iterable[Record], path: str) -> None:
    from eximious.lookups.berkeley_writer import Writer

    built = Writer().build(dict(records))
    with open(path, "wb") as file:
        file.write(built)


def _write_lmdb(records: Iterable[Record], path: str) -> None:
    """Write them as they come, and then a copy that has no gaps."""
    import lmdb

    settings: dict[str, Any] = {"subdir": False, "map_size": LEAST_MAP, "sync": False, "lock": False, "mode": 0o600}
    try:
        with lmdb.open(path + UNSORTED, **settings) as environment:
            batch: list[Record] = []
            for record in records:
                batch.append(record)
                if len(batch) >= BATCH:
                    _put(environment, batch)
                    batch = []
            _put(environment, batch)
            with open(path, "wb") as file:
                environment.copyfd(file.fileno(), compact=True)
    except lmdb.Error as error:
        raise BuildError(f"LMDB: {error}") from None


def _put(environment: Any, batch: list[Record]) -> None:
    """One transaction, again with a larger map if it does not fit."""
    import lmdb

    while True:
        try:
            with environment.begin(write=True) as transaction:
                for key, data in batch:
                    transaction.put(key, data)
            return
        except lmdb.MapFullError:
            environment.set_mapsize(environment.info()["map_size"] * 2)


_WRITERS: Final[dict[str, Writer]] = {
    "cdb": _write_cdb,
    "dbm": _write_dbm,
    "dbmnz": _write_dbm,
    "lmdb": _write_lmdb,
}
KINDS: Final = tuple(_WRITERS)

"""Hints in LMDB: a file in ``SPOOL/db`` for each of Exim's databases.

Any number of processes may use them at once. Nothing waits for the disk. A process that dies loses nothing; for a crash
of the whole system there are copies, made now and then, from which the first process after the next start begins. See
docs/decisions/0012-hints.md.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from eximious import ownership, waiting
from eximious.hints.lmdb_file import LOCK_SUFFIX, SAVED_SUFFIX, SUFFIX, LmdbFile
from eximious.hints.record import Record, decode, encode
from eximious.hints.store import Hints, HintsError, Table, changed

R = TypeVar("R", bound=Record)

DIRECTORY_MODE: Final = 0o750
FILE_MODE: Final = 0o640

LONGEST_KEY: Final = 480  # octets of a key in LMDB, which takes 511; longer ones end in a hash
_HASHED: Final = 40
_KEY_LENGTH: Final = struct.Struct("<H")

REPORT_AFTER: Final = 60  # seconds between two complaints
SAVE_AFTER: Final = 600  # seconds after which who stores something makes a new copy
LOOK_AFTER: Final = 60  # seconds after which this process looks again how old the copy is

_BOOT: Final = "hints.boot"  # a file that says in which start of the system the databases were opened
_BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"


class LmdbHints(Hints):
    """The hints of one spool directory."""

    def __init__(
        self,
        directory: str,
        uid: int = -1,
        gid: int = -1,
        now: Callable[[], float] = time.time,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self.directory = directory
        self.report = report
        self.now = now
        self._uid = uid
        self._gid = gid
        self._reported_at = 0.0
        self._is_prepared = False
        self._look_again: dict[str, float] = {}  # when, by path
        self._files: dict[str, LmdbFile] = {}
        self._tables: dict[str, Table[Any]] = {}

    @classmethod
    def shared(cls, directory: str, uid: int = -1, gid: int = -1) -> LmdbHints:
        """The hints in a directory, the same object for all: a process can open an environment only once."""
        hints = _shared.get(directory)
        if hints is None:
            hints = _shared[directory] = cls(directory, uid, gid)
        return hints

    def table(self, name: str, kind: type[R]) -> Table[R]:
        """The database of that name."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = _LmdbTable(self, name, kind)
        return table

    def names(self) -> list[str]:
        """The names of the databases that exist."""
        try:
            found = os.listdir(self.directory)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise HintsError(f"cannot use hints in {self.directory}: {error}") from error
        return sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX))

    def sync(self) -> None:
        """Make durable copies of what has changed, from which the hints begin if the system crashes."""
        for file in self._files.values():
            if file.has_written:
                file.save()

    def close(self) -> None:
        """Close everything; the next question opens it again."""
        for file in self._files.values():
            file.close()

    def wrote(self, file: LmdbFile) -> None:
        """Something was stored: see to a new copy, if the last one, by whatever process, is old."""
        now = self.now()
        if now < self._look_again.get(file.path, 0.0):
            return
        self._look_again[file.path] = now + LOOK_AFTER
        if now - file.saved_at() <= SAVE_AFTER:
            return
        if waiting.on_loop():
            import threading

            threading.Thread(target=self._save, args=(file,), name="hints", daemon=True).start()
        else:
            self._save(file)

    def _save(self, file: LmdbFile) -> None:
        try:
            file.save()
        except HintsError as error:
            self.complain(error)

    def file(self, name: str) -> LmdbFile:
        """The file of a database, after whatever has to be done first. HintsError."""
        file = self._files.get(name)
        if file is None:
            if "/" in name or "\0" in name or name.startswith("."):
                raise HintsError(f'bad name of a hints database: "{name}"')
            file = self._files[name] = LmdbFile(f"{self.directory}/{name}{SUFFIX}", self._own, self._tell)
        if not self._is_prepared:
            self._prepare()
        return file

    def complain(self, error: HintsError) -> None:
        """Tell `report` of an error that the caller will not hear of, but not more often than once a minute."""
        if self.now() - self._reported_at >= REPORT_AFTER:
            self._reported_at = self.now()
            self._tell(str(error))

    def _tell(self, text: str) -> None:
        if self.report is not None:
            self.report(text)

    def _own(self, path: str) -> None:
        ownership.give(path, self._uid, self._gid)

    # --- the directory, and a crash of the system -------------------------------------------------------------------

    def _prepare(self) -> None:
        try:
            if not os.path.isdir(self.directory):
                self._make_directory()
            if self._read_boot() != _boot_id() and os.access(self.directory, os.W_OK):
                self._restore()
        except OSError as error:
            raise HintsError(f"cannot use hints in {self.directory}: {error}") from error
        self._is_prepared = True

    def _make_directory(self) -> None:
        os.makedirs(os.path.dirname(self.directory), DIRECTORY_MODE, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            ownership.make_folder(self.directory, DIRECTORY_MODE, self._uid, self._gid)

    def _read_boot(self) -> str:
        try:
            with open(f"{self.directory}/{_BOOT}", encoding="ascii", errors="replace") as file:
                return file.read(200).strip()
        except FileNotFoundError:
            return ""

    def _restore(self) -> None:
        """The first process after a start of the system: replace what may be half written by the copies."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(f"{self.directory}/{_BOOT}", flags, FILE_MODE)
        try:
            self._own(f"{self.directory}/{_BOOT}")
            fcntl.lockf(fd, fcntl.LOCK_EX)
            if self._read_boot() == _boot_id():
                return  # another process was faster
            for name in self.names():
                self._restore_one(f"{self.directory}/{name}{SUFFIX}")
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{_boot_id()}\n".encode("ascii"), 0)
        finally:
            os.close(fd)

    def _restore_one(self, path: str) -> None:
        for name in (path, path + LOCK_SUFFIX):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
        with contextlib.suppress(FileNotFoundError), open(path + SAVED_SUFFIX, "rb") as saved, open(path, "xb") as file:
            while chunk := saved.read(1024 * 1024):
                file.write(chunk)
            os.fchmod(file.fileno(), FILE_MODE)


_shared: dict[str, LmdbHints] = {}


class _LmdbTable(Table[R]):
    def __init__(self, hints: LmdbHints, name: str, kind: type[R]) -> None:
        self._hints = hints
        self._name = name
        self._kind = kind

    def get(self, key: str) -> R | None:
        stored = _stored_key(key)
        try:
            data = self._hints.file(self._name).read(lambda transaction: transaction.get(stored))
        except HintsError as error:
            self._hints.complain(error)
            return None
        return None if data is None else self._decode(data)[1]

    def put(self, key: str, record: R) -> None:
        record.written_at = self._hints.now()
        stored, data = _stored_key(key), _with_key(key, encode(record))
        try:
            file = self._hints.file(self._name)
            file.write(lambda transaction: transaction.put(stored, data))
            self._hints.wrote(file)
        except HintsError as error:
            self._hints.complain(error)

    def delete(self, key: str) -> None:
        stored = _stored_key(key)
        try:
            file = self._hints.file(self._name)
            if file.read(lambda transaction: transaction.get(stored)) is not None:
                file.write(lambda transaction: transaction.delete(stored))
        except HintsError as error:
            self._hints.complain(error)

    def change(self, key: str, function: Callable[[R | None], R | None]) -> R | None:
        stored = _stored_key(key)

        def change(transaction: Any) -> R | None:
            old = transaction.get(stored)
            record, data = changed(None if old is None else self._decode(old)[1], function, self._hints.now())
            if data is not None:
                transaction.put(stored, _with_key(key, data))
            elif record is None and old is not None:
                transaction.delete(stored)
            return record

        file = self._hints.file(self._name)
        record = file.write(change)
        self._hints.wrote(file)
        return record

    def items(self, prefix: str = "") -> Iterator[tuple[str, R]]:
        start = prefix.encode("latin-1", "replace")[: LONGEST_KEY - _HASHED]
        try:
            stored = self._hints.file(self._name).read(lambda transaction: _values(transaction, start))
        except HintsError as error:
            self._hints.complain(error)
            return
        found = [(key, record) for key, record in map(self._decode, stored or ()) if record is not None]
        found.sort(key=lambda pair: pair[0])  # keys that end in a hash are not in their order
        yield from ((key, record) for key, record in found if key.startswith(prefix))

    def _decode(self, data: bytes) -> tuple[str, R | None]:
        if len(data) < _KEY_LENGTH.size:
            return "", None
        (length,) = _KEY_LENGTH.unpack_from(data)
        end = _KEY_LENGTH.size + length
        return data[_KEY_LENGTH.size : end].decode("latin-1"), decode(data[end:], self._kind)


def _values(transaction: Any, start: bytes) -> list[bytes]:
    """The values of all keys that begin so."""
    found = []
    with transaction.cursor() as cursor:
        if cursor.set_range(start):
            for key, value in cursor:
                if not key.startswith(start):
                    break
                found.append(value)
    return found


def _stored_key(key: str) -> bytes:
    data = key.encode("latin-1", "replace")
    if len(data) <= LONGEST_KEY:
        return data or b"\0"
    return data[: LONGEST_KEY - _HASHED] + hashlib.sha1(data).hexdigest().encode("ascii")


def _with_key(key: str, record: bytes) -> bytes:
    data = key.encode("latin-1", "replace")[:65535]
    return _KEY_LENGTH.pack(len(data)) + data + record


def _boot_id() -> str:
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "unknown"

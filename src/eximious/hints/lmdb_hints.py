"""Hints in LMDB: one environment in ``SPOOL/db``, with a named database for each of Exim's.

Any number of processes may use it at once. Nothing waits for the disk. A process that dies loses nothing; for a crash
of the whole system there is a copy, made now and then, from which the first process after the next start begins. An
environment that is broken is removed, with an error for the panic log, and begun anew.
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

from eximious.hints.record import Record, decode, encode
from eximious.hints.store import Hints, HintsError, Table, changed

R = TypeVar("R", bound=Record)
T = TypeVar("T")

FILE: Final = "hints.mdb"
FILE_MODE: Final = 0o640
DIRECTORY_MODE: Final = 0o750

FIRST_SIZE: Final = 16 * 1024 * 1024  # of the memory map, in octets; it doubles when it is full
LARGEST_SIZE: Final = 4 * 1024 * 1024 * 1024
MAX_DATABASES: Final = 256
MAX_READERS: Final = 1024

LONGEST_KEY: Final = 480  # octets of a key in LMDB, which takes 511; longer ones end in a hash
_HASHED: Final = 40

_KEY_LENGTH: Final = struct.Struct("<H")
REPORT_AFTER: Final = 60  # seconds between two complaints
SAVE_AFTER: Final = 600  # seconds after which a process that ends makes a new copy

_SAVED: Final = "hints.saved"
_BOOT: Final = "hints.boot"
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
        self.report = report  # told when hints were lost: a line for the panic log
        self._uid = uid
        self._gid = gid
        self._now = now
        self._environment: Any = None
        self._pid = 0
        self._has_written = False
        self._reported_at = 0.0
        self._databases: dict[str, Any] = {}
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

        def read(transaction: Any) -> list[str]:
            with transaction.cursor() as cursor:
                return [key.decode("latin-1") for key in cursor.iternext(values=False)]

        return self.run(None, read, write=False)

    def sync(self) -> None:
        """Make a durable copy, from which the hints begin if the system crashes."""
        if self._environment is None or self._pid != os.getpid():
            return
        temporary = f"{self.directory}/{_SAVED}.{os.getpid()}"
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            self._environment.copy(temporary, compact=True)
            os.chmod(temporary, FILE_MODE)
            _sync_file(temporary)
            self._own(temporary)
            os.rename(temporary, f"{self.directory}/{_SAVED}")
            _sync_file(self.directory)
        except (OSError, _lmdb().Error) as error:
            raise HintsError(f"cannot save hints in {self.directory}: {error}") from error
        self._has_written = False

    def close(self) -> None:
        """Close the environment, after a copy if the last one is old; the next question opens it again."""
        if self._has_written and self._now() - _modified(f"{self.directory}/{_SAVED}") > SAVE_AFTER:
            with contextlib.suppress(HintsError):
                self.sync()
        self._close()

    def _close(self) -> None:
        if self._environment is not None and self._pid == os.getpid():
            self._environment.close()
        self._environment = None
        self._databases.clear()

    def complain(self, error: HintsError) -> None:
        """Tell `report` of an error that the caller will not hear of, but not more often than once a minute."""
        if self.report is not None and self._now() - self._reported_at >= REPORT_AFTER:
            self._reported_at = self._now()
            self.report(str(error))

    # --- the environment --------------------------------------------------------------------------------------------

    def run(self, name: str | None, function: Callable[..., T], *, write: bool) -> T:
        """Call the function with a transaction on a database (None: on the list of them).

        Grows the map if it is full; begins anew if the environment is broken. HintsError if nothing helps.
        """
        errors = _lmdb()
        broken = (errors.CorruptedError, errors.PanicError, errors.InvalidError, errors.VersionMismatchError)
        for _ in range(20):
            try:
                environment = self._open()
                self._has_written |= write
                database = None if name is None else self._database(environment, name)
                with environment.begin(db=database, write=write) as transaction:
                    return function(transaction)
            except errors.MapFullError:
                self._grow()
            except errors.MapResizedError:
                self._environment.set_mapsize(0)  # another process has grown it
            except broken as error:
                self._begin_anew(f"hints database in {self.directory} is broken ({error}): begun anew")
            except (errors.Error, OSError) as error:
                raise HintsError(f"cannot use hints in {self.directory}: {error}") from error
        raise HintsError(f"cannot use hints in {self.directory}: full")

    def _open(self) -> Any:
        if self._environment is not None and self._pid == os.getpid():
            return self._environment
        self._environment = None  # of a parent process: must be neither used nor closed here
        self._databases.clear()
        self._has_written = False
        self._make_directory()
        if self._read_boot() != _boot_id():
            self._restore()
        self._environment = self._open_file(f"{self.directory}/{FILE}")
        self._pid = os.getpid()
        return self._environment

    def _open_file(self, path: str) -> Any:
        size = FIRST_SIZE
        with contextlib.suppress(OSError):
            size = max(size, min(os.stat(path).st_size * 2, LARGEST_SIZE))
        environment = _lmdb().open(
            path,
            map_size=size,
            subdir=False,
            max_dbs=MAX_DATABASES,
            max_readers=MAX_READERS,
            mode=FILE_MODE,
            sync=False,
            metasync=False,
        )
        environment.reader_check()
        self._own(path)
        self._own(f"{path}-lock")
        return environment

    def _make_directory(self) -> None:
        if os.path.isdir(self.directory):
            return
        os.makedirs(self.directory, DIRECTORY_MODE, exist_ok=True)
        self._own(self.directory)

    def _own(self, path: str) -> None:
        if self._uid >= 0 and os.geteuid() == 0:
            os.chown(path, self._uid, self._gid, follow_symlinks=False)

    def _database(self, environment: Any, name: str) -> Any:
        database = self._databases.get(name)
        if database is None:
            database = self._databases[name] = environment.open_db(name.encode("latin-1"))
        return database

    def _grow(self) -> None:
        size = self._environment.info()["map_size"] * 2
        if size > LARGEST_SIZE:
            raise HintsError(f"cannot use hints in {self.directory}: larger than {LARGEST_SIZE} octets")
        self._environment.set_mapsize(size)

    def _begin_anew(self, why: str) -> None:
        self._close()
        for name in (FILE, f"{FILE}-lock"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self.directory}/{name}")
        if self.report is not None:
            self.report(why)

    # --- after a crash of the system --------------------------------------------------------------------------------

    def _read_boot(self) -> str:
        """The start of the system in which the environment was last opened."""
        try:
            with open(f"{self.directory}/{_BOOT}", encoding="ascii", errors="replace") as file:
                return file.read(200).strip()
        except FileNotFoundError:
            return ""

    def _restore(self) -> None:
        """The first process after a start of the system: replace what may be half written by the copy."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(f"{self.directory}/{_BOOT}", flags, FILE_MODE)
        try:
            self._own(f"{self.directory}/{_BOOT}")
            fcntl.lockf(fd, fcntl.LOCK_EX)
            if self._read_boot() == _boot_id():
                return  # another process was faster
            path = f"{self.directory}/{FILE}"
            for name in (path, f"{path}-lock"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name)
            with contextlib.suppress(FileNotFoundError):
                _copy_file(f"{self.directory}/{_SAVED}", path)
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{_boot_id()}\n".encode("ascii"), 0)
        finally:
            os.close(fd)

    @property
    def now(self) -> float:
        """The present, as UNIX time."""
        return self._now()


_shared: dict[str, LmdbHints] = {}


class _LmdbTable(Table[R]):
    def __init__(self, hints: LmdbHints, name: str, kind: type[R]) -> None:
        self._hints = hints
        self._name = name
        self._kind = kind

    def get(self, key: str) -> R | None:
        stored = _stored_key(key)
        data = None
        try:
            data = self._hints.run(self._name, lambda transaction: transaction.get(stored), write=False)
        except HintsError as error:
            self._hints.complain(error)
        return None if data is None else self._decode(data)[1]

    def put(self, key: str, record: R) -> None:
        record.written_at = self._hints.now
        stored, data = _stored_key(key), _with_key(key, encode(record))
        try:
            self._hints.run(self._name, lambda transaction: transaction.put(stored, data), write=True)
        except HintsError as error:
            self._hints.complain(error)

    def delete(self, key: str) -> None:
        stored = _stored_key(key)
        try:
            self._hints.run(self._name, lambda transaction: transaction.delete(stored), write=True)
        except HintsError as error:
            self._hints.complain(error)

    def change(self, key: str, function: Callable[[R | None], R | None]) -> R | None:
        stored = _stored_key(key)

        def change(transaction: Any) -> R | None:
            old = transaction.get(stored)
            record, data = changed(None if old is None else self._decode(old)[1], function, self._hints.now)
            if data is not None:
                transaction.put(stored, _with_key(key, data))
            elif record is None and old is not None:
                transaction.delete(stored)
            return record

        return self._hints.run(self._name, change, write=True)

    def items(self, prefix: str = "") -> Iterator[tuple[str, R]]:
        start = prefix.encode("latin-1", "replace")[: LONGEST_KEY - _HASHED]

        def read(transaction: Any) -> list[bytes]:
            found = []
            with transaction.cursor() as cursor:
                if cursor.set_range(start):
                    for key, value in cursor:
                        if not key.startswith(start):
                            break
                        found.append(value)
            return found

        stored: list[bytes] = []
        try:
            stored = self._hints.run(self._name, read, write=False)
        except HintsError as error:
            self._hints.complain(error)
        found = map(self._decode, stored)
        # Keys that end in a hash are not in their order.
        yield from sorted(
            ((key, record) for key, record in found if record is not None and key.startswith(prefix)),
            key=lambda pair: pair[0],
        )

    def _decode(self, data: bytes) -> tuple[str, R | None]:
        if len(data) < _KEY_LENGTH.size:
            return "", None
        (length,) = _KEY_LENGTH.unpack_from(data)
        end = _KEY_LENGTH.size + length
        return data[_KEY_LENGTH.size : end].decode("latin-1"), decode(data[end:], self._kind)


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


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _sync_file(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _copy_file(source: str, target: str) -> None:
    with open(source, "rb") as reader, open(target, "xb") as writer:
        while chunk := reader.read(1024 * 1024):
            writer.write(chunk)


def _lmdb() -> Any:
    import lmdb

    return lmdb

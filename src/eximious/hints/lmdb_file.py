"""One hints database: an LMDB environment in a file of its own, ``NAME.lmdb``.

The file may vanish at any time (postmasters remove hints when they want them forgotten) or turn out to be broken: then
a new one is begun when something is stored. Who may only read looks without locks.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from eximious.hints.store import HintsError
from eximious.ownership import open_existing

T = TypeVar("T")

SUFFIX: Final = ".lmdb"
LOCK_SUFFIX: Final = "-lock"  # which LMDB adds to the name
SAVED_SUFFIX: Final = ".saved"
FILE_MODE: Final = 0o640

FIRST_SIZE: Final = 16 * 1024 * 1024  # of the memory map, in octets; it doubles when it is full
LARGEST_SIZE: Final = 4 * 1024 * 1024 * 1024
MAX_READERS: Final = 1024
ATTEMPTS: Final = 20
ABSENT_FOR: Final = 0.1  # seconds before a database that is not there is looked for again: deliveries ask all the time


class LmdbFile:
    """An environment, opened when first needed. `own` gives files that this process makes to their owner."""

    __slots__ = (
        "_absent_until",
        "_environment",
        "_inode",
        "_is_read_only",
        "_pid",
        "has_written",
        "own",
        "path",
        "report",
    )

    def __init__(self, path: str, own: Callable[[str], None], report: Callable[[str], None]) -> None:
        self.path = path
        self.own = own
        self.report = report  # told if the database was lost
        self.has_written = False  # since the last copy
        self._absent_until = 0.0  # by time.monotonic
        self._environment: Any = None
        self._pid = 0
        self._inode = 0
        self._is_read_only = False

    def read(self, function: Callable[[Any], T]) -> T | None:
        """Call the function with a transaction that only reads; None if there is no such database. HintsError."""
        if self._environment is None:
            now = time.monotonic()
            if now < self._absent_until:
                return None
            if _inode(self.path) == 0:
                self._absent_until = now + ABSENT_FOR
                return None
        elif _inode(self.path) == 0:
            return None
        return self._run(function, write=False)

    def write(self, function: Callable[[Any], T]) -> T:
        """Call the function with a transaction that may write. HintsError if that is impossible."""
        return self._run(function, write=True)

    def _run(self, function: Callable[[Any], T], *, write: bool) -> T:
        errors = _lmdb()
        broken = (errors.CorruptedError, errors.PanicError, errors.InvalidError, errors.VersionMismatchError)
        for _ in range(ATTEMPTS):
            try:
                with self._open().begin(write=write) as transaction:
                    result = function(transaction)
            except errors.MapFullError:
                self._grow()
            except errors.MapResizedError:
                if self._environment is not None:  # else it has grown while it was being opened: open it again
                    self._environment.set_mapsize(0)  # another process has grown it
            except broken as error:
                self._begin_anew(f"hints database {self.path} is broken ({error})")
            except (errors.Error, OSError) as error:
                raise HintsError(f"cannot use hints in {self.path}: {error}") from error
            else:
                self.has_written |= write
                return result
        raise HintsError(f"cannot use hints in {self.path}: full")

    def _open(self) -> Any:
        if self._environment is not None and self._pid == os.getpid():
            if self._inode == _inode(self.path):
                return self._environment
            self._environment.close()  # the file was removed
        self._environment = None  # of a parent process: must be neither used nor closed here
        self._pid = os.getpid()
        self._is_read_only = os.path.exists(self.path) and not os.access(self.path, os.W_OK)
        self._environment = self._open_environment()
        self._inode = _inode(self.path)
        self.has_written = False
        return self._environment

    def _open_environment(self) -> Any:
        if self._is_read_only:
            return _lmdb().open(self.path, subdir=False, readonly=True, lock=False, create=False)
        if os.geteuid() == 0:
            self._refuse_links()
        size = FIRST_SIZE
        with contextlib.suppress(OSError):
            size = max(size, min(os.stat(self.path).st_size * 2, LARGEST_SIZE))
        environment = _lmdb().open(
            self.path,
            map_size=size,
            subdir=False,
            max_readers=MAX_READERS,
            mode=FILE_MODE,
            sync=False,
            metasync=False,
        )
        environment.reader_check()
        self.own(self.path)
        self.own(self.path + LOCK_SUFFIX)
        return environment

    def _refuse_links(self) -> None:
        """LMDB follows them; the directory is a less privileged user's. OSError."""
        for name in (self.path, self.path + LOCK_SUFFIX):
            with contextlib.suppress(FileNotFoundError):
                os.close(open_existing(name, os.O_RDONLY))

    def _grow(self) -> None:
        size = self._environment.info()["map_size"] * 2
        if size > LARGEST_SIZE:
            raise HintsError(f"cannot use hints in {self.path}: larger than {LARGEST_SIZE} octets")
        self._environment.set_mapsize(size)

    def _begin_anew(self, why: str) -> None:
        if self._is_read_only:
            raise HintsError(why)
        is_ours = self._environment is None or self._inode == _inode(self.path)
        self.close()
        if is_ours:  # otherwise another process has begun anew already
            for name in (self.path, self.path + LOCK_SUFFIX):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name)
        self.report(f"{why}: begun anew")

    def save(self) -> None:
        """Make a durable copy. HintsError."""
        if self._environment is None or self._pid != os.getpid() or self._is_read_only:
            return
        temporary = f"{self.path}.{os.getpid()}"
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            self._environment.copy(temporary, compact=True)
            os.chmod(temporary, FILE_MODE)
            _sync_file(temporary)
            self.own(temporary)
            os.rename(temporary, self.path + SAVED_SUFFIX)
        except (OSError, _lmdb().Error) as error:
            raise HintsError(f"cannot save hints in {self.path}: {error}") from error
        self.has_written = False

    def saved_at(self) -> float:
        """When the last copy was made, as UNIX time; 0 if there is none."""
        try:
            return os.stat(self.path + SAVED_SUFFIX).st_mtime
        except OSError:
            return 0.0

    def close(self) -> None:
        """Close the environment; the next question opens it again."""
        if self._environment is not None and self._pid == os.getpid():
            self._environment.close()
        self._environment = None


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _sync_file(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _lmdb() -> Any:
    import lmdb

    return lmdb

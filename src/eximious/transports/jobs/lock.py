"""Locks on mailbox files: lock files, fcntl, flock, and those of programs that know MBX mailboxes.

(Exim specification, "Operational details for appending".)
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import signal
import stat
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

from eximious.transports.jobs.trouble import Trouble
from eximious.transports.outcome import LOCK_FAILED

# A lock file is written by programs that should be done within seconds; one that stays longer is waited for.


class Locking:
    """How a mailbox is to be locked; from the options of the transport."""

    __slots__ = (
        "fcntl_timeout",
        "flock_timeout",
        "interval",
        "lockfile_mode",
        "lockfile_timeout",
        "primary_hostname",
        "retries",
        "use_fcntl",
        "use_flock",
        "use_lockfile",
        "use_mbx",
    )

    def __init__(self, options: dict[str, Any]) -> None:
        self.use_fcntl = bool(options["use_fcntl_lock"])
        self.use_flock = bool(options["use_flock_lock"])
        self.use_lockfile = bool(options["use_lockfile"])
        self.use_mbx = bool(options["use_mbx_lock"])
        self.fcntl_timeout = float(options["lock_fcntl_timeout"])
        self.flock_timeout = float(options["lock_flock_timeout"])
        self.interval = float(options["lock_interval"])
        self.retries = max(1, int(options["lock_retries"]))
        self.lockfile_mode = int(options["lockfile_mode"])
        self.lockfile_timeout = float(options["lockfile_timeout"])
        self.primary_hostname = str(options["primary_hostname"])
        if self.use_mbx and not (self.use_fcntl or self.use_flock):
            self.use_fcntl = True

    @property
    def tries(self) -> int:
        """How often to try to lock an open file: fewer times if each try may block."""
        longest = max(self.fcntl_timeout, self.flock_timeout)
        if longest <= 0:
            return self.retries
        return max(1, math.ceil(self.retries * self.interval / longest))

    @property
    def blocks(self) -> bool:
        """True if locking waits inside the system call."""
        return self.fcntl_timeout > 0 or self.flock_timeout > 0


def make_lock_file(path: str, locking: Locking, sleep: Callable[[float], None] = time.sleep) -> str:
    """Create ``path.lock`` in a way that is safe over NFS, and return its name. Raises Trouble."""
    lock_name = path + ".lock"
    hitching_post = f"{lock_name}.{locking.primary_hostname}.{int(time.time()):08x}.{os.getpid():08x}"
    for attempt in range(1, locking.retries + 1):
        if _link_lock_file(hitching_post, lock_name, locking.lockfile_mode):
            return lock_name
        if attempt < locking.retries and not _remove_stale(lock_name, locking.lockfile_timeout):
            sleep(locking.interval)
    raise Trouble(f"failed to lock mailbox {path} (lock file)", LOCK_FAILED)


def _link_lock_file(hitching_post: str, lock_name: str, mode: int) -> bool:
    try:
        descriptor = os.open(hitching_post, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except OSError as error:
        text = f"creating lock file hitching post {hitching_post} (euid={os.geteuid()} egid={os.getegid()})"
        raise Trouble(text, error.errno or 0) from None
    os.close(descriptor)
    try:
        os.link(hitching_post, lock_name, follow_symlinks=False)
    except OSError:
        # Over NFS the link may be there although the call failed; the count of links tells.
        return os.lstat(hitching_post).st_nlink == 2
    else:
        return True
    finally:
        os.unlink(hitching_post)


def _remove_stale(lock_name: str, timeout: float) -> bool:
    """Remove a lock file that was left behind; True if there is none (any more)."""
    try:
        state = os.lstat(lock_name)
    except FileNotFoundError:
        return True
    if timeout > 0 and time.time() - state.st_ctime > timeout:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(lock_name)
        return True
    return False


def lock_descriptor(descriptor: int, locking: Locking) -> str:
    """Lock an open file; "" if done, else the name of the lock that could not be had. Raises Trouble for faults."""
    shared = locking.use_mbx
    if locking.use_fcntl and not _try(lambda: _fcntl(descriptor, shared, locking.fcntl_timeout), locking.fcntl_timeout):
        return "fcntl"
    if locking.use_flock and not _try(lambda: _flock(descriptor, shared, locking.flock_timeout), locking.flock_timeout):
        return "flock"
    return ""


def lock_mbx(descriptor: int, locking: Locking) -> int | None:
    """Take the exclusive lock of MBX programs, on a file in /tmp; its descriptor, or None if another holds it.

    The name is known to everybody, so the file must be a plain one with no other name: what is opened is checked, not
    what was there before, and no link is followed.
    """
    state = os.fstat(descriptor)
    name = f"/tmp/.{state.st_dev:x}.{state.st_ino:x}"
    try:
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, locking.lockfile_mode)
    except OSError as error:
        raise Trouble(f"failed to open MBX lock file {name}", error.errno or 0) from None
    opened = os.fstat(lock)
    if not stat.S_ISREG(opened.st_mode) or opened.st_nlink != 1:
        os.close(lock)
        raise Trouble(f"MBX lock file {name} is not a regular file", LOCK_FAILED)
    if opened.st_uid == os.geteuid() and stat.S_IMODE(opened.st_mode) != locking.lockfile_mode:
        os.fchmod(lock, locking.lockfile_mode)
    if _try(lambda: _fcntl(lock, False, locking.fcntl_timeout), locking.fcntl_timeout):
        return lock
    os.close(lock)
    return None


def _fcntl(descriptor: int, shared: bool, timeout: float) -> None:
    kind = fcntl.F_RDLCK if shared else fcntl.F_WRLCK
    command = fcntl.F_SETLKW if timeout > 0 else fcntl.F_SETLK
    fcntl.fcntl(descriptor, command, struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0))


def _flock(descriptor: int, shared: bool, timeout: float) -> None:
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    fcntl.flock(descriptor, how if timeout > 0 else how | fcntl.LOCK_NB)


def _try(lock: Callable[[], None], timeout: float) -> bool:
    try:
        with _alarm(timeout):
            lock()
    except (BlockingIOError, PermissionError, TimeoutError):
        return False
    except OSError as error:
        if error.errno in (errno.EINTR, errno.EDEADLK, errno.ENOLCK):
            return False
        raise
    return True


class _Expired(TimeoutError):
    pass


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Interrupt a blocking system call after some seconds; 0 for never. For single-threaded processes only."""
    if seconds <= 0:
        yield
        return

    def expire(signal_number: int, frame: object) -> None:
        raise _Expired

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

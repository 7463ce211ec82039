"""Append a message to a file: the mailbox of a user, with all the care that needs.

The file may lie in a directory where others can create files and links, so nothing that was learnt about its name is
trusted: after opening, what was opened is compared with what was checked before (CVE-2010-2023).
(Exim specification, "Operational details for appending".)
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterable
from typing import Any, Final

from eximious.transports.job import Ended, Job
from eximious.transports.jobs.create import make_directories, may_create, refuse_creation
from eximious.transports.jobs.lock import Locking, lock_descriptor, lock_mbx, make_lock_file
from eximious.transports.jobs.trouble import Trouble
from eximious.transports.outcome import (
    BAD_MODE,
    BAD_OWNER,
    DELIVERED,
    INODE_CHANGED,
    LOCK_FAILED,
    NOT_REGULAR_FILE,
    QUOTA,
    UNKNOWN_FORMAT,
)

# A file that appears and vanishes all the time is somebody's game: give up after this many rounds.
ROUNDS: Final = 10


def perform(job: Job) -> Ended:
    """Append the job's content to the file ``path``.

    Arguments: ``path``, ``only_looks`` (only see whether there is room), ``home``, ``mode``, ``message_size``,
    ``quota`` and ``warn_threshold`` (0: none), ``mailbox_size`` (None: look), and the options of the appendfile
    transport by name. Values of the report: ``size`` (octets written), ``warn`` (true if the file has grown beyond the
    threshold), ``other_transport`` (see file_format).
    """
    try:
        return _perform(job)
    except Trouble as trouble:
        return trouble.ended()


def _perform(job: Job) -> Ended:
    options = job.arguments
    path = options["path"]
    if options["must_be_below"] and not may_create(path, options["create_file"], options["home"]):
        raise refuse_creation("mailbox", path)
    if options["only_looks"]:
        return _look(path, options)
    if options["create_directory"]:
        _make_parents(path, options)
    if options["file_format"]:
        other = _other_transport(path, options["file_format"], options["transport_name"])
        if other:
            ended = Ended(DELIVERED)
            ended.values["other_transport"] = other
            return ended
    locking = Locking(options)
    lock_name = make_lock_file(path, locking) if locking.use_lockfile else ""
    try:
        return _append_locked(job, path, locking)
    finally:
        if lock_name:
            with contextlib.suppress(OSError):
                os.unlink(lock_name)


def _make_parents(path: str, options: dict[str, Any]) -> None:
    """Make missing directories if that is permitted. Raises Trouble."""
    parent = os.path.dirname(path)
    if not os.path.exists(parent) and may_create(path, options["create_file"], options["home"]):
        try:
            make_directories(parent, options["directory_mode"])
        except OSError as error:
            text = f"failed to create directories for {path}: {error.strerror}"
            raise Trouble(text, error.errno or 0) from None


def _other_transport(path: str, formats: list[list[str]], this: str) -> str:
    """The transport for a file that starts as this one does; "" if it is this one. Raises Trouble if unknown."""
    longest = max(len(start) for start, _ in formats)
    try:
        with open(path, "rb") as file:
            begins = file.read(longest).decode("latin-1")
    except OSError:
        return ""
    if not begins:
        return ""
    for start, transport in formats:
        if begins.startswith(start):
            return "" if transport == this else transport
    raise Trouble("mailbox file format unrecognized", UNKNOWN_FORMAT)


def _look(path: str, options: dict[str, Any]) -> Ended:
    """Is there room? What has changed before the message comes will be seen then."""
    state = _state(path, options)
    if state is not None and not stat.S_ISREG(state.st_mode):
        return _report(0)
    present = state.st_size if state is not None else 0
    read_at = state.st_atime if state is not None else time.time()
    size = present if options["mailbox_size"] is None else options["mailbox_size"]
    _check_quota(path, size, read_at, options)
    return _report(0)


def _append_locked(job: Job, path: str, locking: Locking) -> Ended:
    tries = locking.tries
    for attempt in range(1, tries + 1):
        descriptor, state = _open(path, job)
        try:
            if stat.S_ISFIFO(state.st_mode):
                return _write_fifo(descriptor, job, path)
            why = lock_descriptor(descriptor, locking)
            mbx_lock = lock_mbx(descriptor, locking) if locking.use_mbx and not why else None
            if locking.use_mbx and mbx_lock is None:
                why = why or "fcntl"
            if not why:
                try:
                    return _write(descriptor, job, path)
                finally:
                    if mbx_lock is not None:
                        os.close(mbx_lock)
        finally:
            os.close(descriptor)
        if attempt < tries and not locking.blocks:
            time.sleep(locking.interval)
    raise Trouble(f"failed to lock mailbox {path} ({why})", LOCK_FAILED)


def _open(path: str, job: Job) -> tuple[int, os.stat_result]:
    """The open file, checked. Raises Trouble."""
    for _ in range(ROUNDS):
        existing = _state(path, job.arguments)
        if existing is None:
            opened = _create(path, job)
        else:
            opened = _open_existing(path, existing, job)
        if opened is not None:
            return opened, os.fstat(opened)
    raise Trouble(f"existence race: mailbox {path} appears and vanishes", -3, freeze=True)


def _state(path: str, options: dict[str, Any]) -> os.stat_result | None:
    """What is at the path, or None; a symbolic link is looked through if that is allowed."""
    try:
        state = os.lstat(path)
        if not stat.S_ISLNK(state.st_mode):
            return state
        if not options["allow_symlink"]:
            _check_owners(f"{path} (symlink)", state, options)
            raise Trouble(f"mailbox {path} is a symlink (not permitted)", NOT_REGULAR_FILE)
        if options["check_owner"] and state.st_uid != os.geteuid():
            raise Trouble(f"symlink {path} has wrong uid ({state.st_uid} != {os.geteuid()})", BAD_OWNER)
        return os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Trouble(f"failed to stat mailbox {path}", error.errno or 0) from None


def _check(path: str, state: os.stat_result, options: dict[str, Any]) -> None:
    """The file must be a plain one, of the right owner, with one name only. Raises Trouble."""
    _check_owners(path, state, options)
    fifo = options["allow_fifo"] and stat.S_ISFIFO(state.st_mode)
    if not (stat.S_ISREG(state.st_mode) or fifo):
        kinds = " or named pipe" if options["allow_fifo"] else ""
        raise Trouble(f"mailbox {path} is not a regular file{kinds}", NOT_REGULAR_FILE)
    if state.st_nlink > 1:
        raise Trouble(f"mailbox {path} has too many links ({state.st_nlink})", NOT_REGULAR_FILE)


def _check_owners(path: str, state: os.stat_result, options: dict[str, Any]) -> None:
    if options["check_owner"] and state.st_uid != os.geteuid():
        raise Trouble(f"mailbox {path} has wrong uid ({state.st_uid} != {os.geteuid()})", BAD_OWNER)
    if options["check_group"] and state.st_gid != os.getegid():
        raise Trouble(f"mailbox {path} has wrong gid ({state.st_gid} != {os.getegid()})", BAD_OWNER)


def _adjust_mode(path: str, descriptor: int, state: os.stat_result, options: dict[str, Any]) -> None:
    """Take rights away that the mode does not have; missing ones are an error, if so configured."""
    wanted = options["mode"]
    mode = stat.S_IMODE(state.st_mode)
    if mode == wanted:
        return
    if options["force_mode"] or mode & ~wanted:
        if not options["force_mode"] and wanted & ~mode and options["mode_fail_narrower"]:
            raise _wrong_mode(path, mode, wanted)
        try:
            os.fchmod(descriptor, wanted if options["force_mode"] else mode & wanted)
        except OSError as error:
            raise Trouble(f"attempting to chmod mailbox {path}", error.errno or 0) from None
    elif options["mode_fail_narrower"]:
        raise _wrong_mode(path, mode, wanted)


def _wrong_mode(path: str, mode: int, wanted: int) -> Trouble:
    return Trouble(f"mailbox {path} has the wrong mode {mode:04o} (mode {wanted:04o} expected)", BAD_MODE)


def _open_existing(path: str, before: os.stat_result, job: Job) -> int | None:
    options = job.arguments
    _check(path, before, options)
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
    if stat.S_ISFIFO(before.st_mode):
        flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
    if not options["allow_symlink"]:
        flags |= os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        text = (
            "while opening named pipe %s (could mean no process is reading it)"
            if error.errno == errno.ENXIO
            else ("while opening mailbox %s")
        )
        raise Trouble(text % path, error.errno or 0) from None
    try:
        _check_unchanged(path, before, os.fstat(descriptor), options)
        _adjust_mode(path, descriptor, before, options)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_unchanged(path: str, before: os.stat_result, after: os.stat_result, options: dict[str, Any]) -> None:
    """What was opened is what was checked; anything else is an attack or a mistake that a person must look at."""
    if (after.st_ino, after.st_dev) != (before.st_ino, before.st_dev):
        text = f"opened mailbox {path} inode number changed from {before.st_ino} to {after.st_ino}"
        raise Trouble(text, INODE_CHANGED, freeze=True)
    try:
        _check(path, after, options)
    except Trouble as trouble:
        trouble.freeze = True
        raise


def _create(path: str, job: Job) -> int | None:
    options = job.arguments
    if options["file_must_exist"]:
        raise Trouble(f"mailbox {path} does not exist, but file_must_exist is set", errno.ENOENT)
    if not may_create(path, options["create_file"], options["home"]):
        raise refuse_creation("mailbox", path)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    # A link may point to a file that is yet to be made; O_EXCL would not follow it.
    flags |= 0 if options["allow_symlink"] and os.path.islink(path) else os.O_EXCL | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, options["mode"])
    except FileExistsError:
        return None
    except OSError as error:
        raise Trouble(f"while creating mailbox {path}", error.errno or 0) from None
    # The umask must not narrow it.
    os.fchmod(descriptor, options["mode"])
    return descriptor


def _write_fifo(descriptor: int, job: Job, path: str) -> Ended:
    os.set_blocking(descriptor, True)
    try:
        size = write_all(descriptor, job.content.pieces())
    except OSError as error:
        raise Trouble(f"error while writing to {path}", error.errno or 0) from None
    return _report(size)


def _write(descriptor: int, job: Job, path: str) -> Ended:
    """Write at the end, under all locks; on any failure the file is as it was before."""
    options = job.arguments
    before = os.fstat(descriptor)
    mailbox_size = before.st_size if options["mailbox_size"] is None else options["mailbox_size"]
    _check_quota(path, mailbox_size, before.st_atime, options)
    try:
        if options["mbx_format"]:
            from eximious.transports.jobs.mbx import write_message

            size = write_message(descriptor, before.st_size, job.content.pieces())
        else:
            size = write_all(descriptor, job.content.pieces())
        os.fsync(descriptor)
    except OSError as error:
        _undo(descriptor, before)
        raise write_trouble(error, path, time.time() - before.st_atime) from None
    ended = _report(size)
    threshold = options["warn_threshold"]
    ended.values["warn"] = bool(threshold and mailbox_size <= threshold < mailbox_size + options["message_size"])
    return ended


def _report(size: int) -> Ended:
    ended = Ended(DELIVERED)
    ended.values["size"] = size
    return ended


def _check_quota(path: str, size: int, read_at: float, options: dict[str, Any]) -> None:
    """Raises Trouble if a mailbox of that size, last read at that time, has no room for the message."""
    quota = options["quota"]
    if not quota or options["quota_no_check"]:
        return
    counted = size + (options["message_size"] if options["quota_is_inclusive"] else 0)
    if counted > quota:
        unread = int(time.time() - read_at)
        raise Trouble(f"mailbox is full (MTA-imposed quota exceeded while writing to {path})", QUOTA, more_errno=unread)


def _undo(descriptor: int, before: os.stat_result) -> None:
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, before.st_size)
        os.utime(descriptor, ns=(before.st_atime_ns, before.st_mtime_ns))


def write_all(descriptor: int, pieces: Iterable[bytes]) -> int:
    """Write everything; the number of octets. Raises OSError."""
    total = 0
    for piece in pieces:
        written = os.write(descriptor, piece)
        while written < len(piece):
            written += os.write(descriptor, memoryview(piece)[written:])
        total += written
    return total


def write_trouble(error: OSError, path: str, unread: float) -> Trouble:
    """The report of a failed write; `unread` is how long, in seconds, nobody has read the mailbox."""
    number = error.errno or 0
    if number in (errno.EDQUOT, errno.ENOSPC):
        text = f"error while writing to {path}"
        if number == errno.EDQUOT:
            text = f"mailbox is full (quota exceeded while writing to file {path})"
        return Trouble(text, number, more_errno=int(unread))
    return Trouble(f"error while writing to {path}", number)

"""Write a message into a directory, as a file of its own: maildir, mailstore, or a plain file.

(Exim specification, "Operational details for delivery to a new file", "Maildir delivery", "Mailstore delivery".)
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
from eximious.transports.jobs.append import write_all
from eximious.transports.jobs.create import make_directories, may_create, refuse_creation
from eximious.transports.jobs.quota import SizeFile, counts, open_size_file, usage
from eximious.transports.jobs.trouble import Trouble
from eximious.transports.outcome import DELIVERED, NOT_DIRECTORY, QUOTA

MAILDIR: Final = "maildir"
MAILSTORE: Final = "mailstore"
PLAIN: Final = "plain"
RENAME: Final = "rename"  # the second half of a plain delivery, when the name depends on the inode

_last_time = 0


def perform(job: Job) -> Ended:
    """Write the job's content into a new file in the directory ``path``, in the given ``format``.

    Arguments: ``path``, ``only_looks`` (only see whether there is room), ``format``, ``home``, ``mode``,
    ``message_size``, ``quota``, ``quota_filecount`` and ``warn_threshold`` (0: none), ``mailbox_size`` and
    ``mailbox_filecount`` (None: look), ``tag`` (of a maildir file), ``base_name`` and ``envelope`` (of a mailstore),
    ``file_name`` ("" to be told the inode and asked again with ``rename``), and the options of the appendfile transport
    by name. Values of the report: ``size``, ``warn``, ``file``, ``inode``.
    """
    try:
        return _perform(job)
    except Trouble as trouble:
        return trouble.ended()


def _perform(job: Job) -> Ended:
    options = job.arguments
    path = options["path"]
    form = options["format"]
    if form == RENAME:
        return _rename(job)
    if options["must_be_below"] and not may_create(path, options["create_file"], options["home"]):
        raise refuse_creation("directory", path)
    _need_directory(path, options)
    if form == MAILDIR:
        _make_maildir(path, options)
    quota = _Quota(path, options)
    try:
        quota.check()
        if options["only_looks"]:
            return Ended(DELIVERED)
        if form == MAILDIR:
            file, size = _write_maildir(job, path)
        elif form == MAILSTORE:
            file, size = _write_mailstore(job, path)
        else:
            file, size = _write_plain(job, path)
    except OSError as error:
        raise _write_trouble(error, path, form) from None
    else:
        quota.record(size)
    finally:
        quota.close()
    ended = Ended(DELIVERED)
    ended.values.update(size=size, file=file, warn=quota.must_warn)
    if form == PLAIN and not options["file_name"]:
        ended.values["inode"] = os.stat(file).st_ino
    return ended


def _need_directory(path: str, options: dict[str, Any]) -> None:
    try:
        state = os.stat(path)
    except FileNotFoundError:
        if not options["create_directory"]:
            raise Trouble(f"failed to stat directory {path}", errno.ENOENT) from None
        _make(path, path, options)
        return
    except OSError as error:
        raise Trouble(f"failed to stat directory {path}", error.errno or 0) from None
    if not stat.S_ISDIR(state.st_mode):
        raise Trouble(f"{path} is not a directory", NOT_DIRECTORY)


def _make(path: str, checked: str, options: dict[str, Any]) -> None:
    if not may_create(checked, options["create_file"], options["home"]):
        raise refuse_creation("directory", checked)
    try:
        make_directories(path, options["directory_mode"])
    except OSError as error:
        raise Trouble(f"failed to create directories for {path}", error.errno or 0) from None


def _make_maildir(path: str, options: dict[str, Any]) -> None:
    for name in ("tmp", "new", "cur"):
        place = f"{path}/{name}"
        try:
            state = os.stat(place)
        except FileNotFoundError:
            if not options["create_directory"]:
                raise Trouble(f"stat() error for maildir subdirectory {place}", errno.ENOENT) from None
            _make(place, path, options)
            continue
        except OSError as error:
            raise Trouble(f"stat() error for maildir subdirectory {place}", error.errno or 0) from None
        if not stat.S_ISDIR(state.st_mode):
            raise Trouble(f"{place} is not a directory", NOT_DIRECTORY)
    if options["make_maildirfolder"]:
        _touch(f"{path}/maildirfolder", options["mode"])


def _touch(path: str, mode: int) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode))
    except FileExistsError:
        return
    except OSError as error:
        raise Trouble(f"appendfile: failed to create maildirfolder file in {path}", error.errno or 0) from None


class _Quota:
    """The quota of a directory: looked up before the delivery, noted after it."""

    def __init__(self, path: str, options: dict[str, Any]) -> None:
        self.options = options
        self.size_file: SizeFile | None = None
        self.size = 0
        self.count = 0
        self.path = path
        self.directory = self._directory(path)
        self.must_warn = False
        self.is_checked = bool(options["quota"] or options["quota_filecount"] or options["warn_threshold"])
        if options["format"] == MAILDIR and options["maildir_use_size_file"]:
            if counts(path, self.directory, options["maildir_quota_directory_regex"]):
                self._use_size_file()
            else:
                self.is_checked = False
        elif self.is_checked:
            self._look()
        if options["mailbox_size"] is not None:
            self.size = options["mailbox_size"]
        if options["mailbox_filecount"] is not None:
            self.count = options["mailbox_filecount"]

    def _directory(self, path: str) -> str:
        chosen = self.options["quota_directory"]
        if chosen:
            return str(chosen)
        if self.options["format"] == MAILDIR and os.path.exists(f"{path}/maildirfolder"):
            return os.path.dirname(path)
        return path

    def _use_size_file(self) -> None:
        self.size_file = open_size_file(self.directory, self.options)
        self.size, self.count = self.size_file.size, self.size_file.count

    def _look(self) -> None:
        options = self.options
        if options["mailbox_size"] is not None and options["mailbox_filecount"] is not None:
            return
        if options["mailbox_size"] is not None and not options["quota_filecount"]:
            return
        self.size, self.count = usage(self.directory, options["quota_size_regex"])

    def check(self) -> None:
        """Raises Trouble if there is no room for the message."""
        options = self.options
        if not self.is_checked:
            return
        inclusive = options["quota_is_inclusive"]
        counted = self.size + (options["message_size"] if inclusive else 0)
        if options["quota"] and not options["quota_no_check"] and counted > options["quota"]:
            raise self._full("quota")
        limit = options["quota_filecount"]
        if limit and not options["quota_filecount_no_check"] and self.count + (1 if inclusive else 0) > limit:
            raise self._full("filecount quota")

    def _full(self, what: str) -> Trouble:
        place = self.options["shown_path"]
        text = f"mailbox is full (MTA-imposed {what} exceeded while writing to {place})"
        return Trouble(text, QUOTA, more_errno=_unread(self.path, self.options["format"]))

    def record(self, size: int) -> None:
        """The message has been written."""
        threshold = self.options["warn_threshold"]
        self.must_warn = bool(threshold and self.size <= threshold < self.size + self.options["message_size"])
        if self.size_file is not None:
            self.size_file.record(size)

    def close(self) -> None:
        """Close what is open."""
        if self.size_file is not None:
            self.size_file.close()


def _unread(path: str, form: str) -> int:
    """How long nobody has taken anything out of a maildir's ``new``, in seconds; 0 for other formats."""
    if form != MAILDIR:
        return 0
    try:
        return max(0, int(time.time() - os.stat(f"{path}/new").st_mtime))
    except OSError:
        return 0


def _write_trouble(error: OSError, path: str, form: str) -> Trouble:
    number = error.errno or 0
    name = error.filename or path
    if number == errno.EDQUOT:
        text = f"mailbox is full (quota exceeded while writing to file {name})"
        return Trouble(text, number, more_errno=_unread(path, form))
    if number == errno.ENOSPC:
        return Trouble(f"error while writing to {name}", number, more_errno=_unread(path, form))
    if error.filename2 is not None:
        return Trouble(f"while renaming {error.filename} as {error.filename2}", number)
    return Trouble(f"while creating file {name}" if error.filename else f"error while writing to {path}", number)


def _now() -> tuple[int, int]:
    """Seconds and microseconds, never the same twice in this process."""
    global _last_time
    microseconds = max(time.time_ns() // 1000, _last_time + 1)
    _last_time = microseconds
    return divmod(microseconds, 1_000_000)


def _create(path: str, mode: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode)
    os.fchmod(descriptor, mode)  # the umask must not narrow it
    return descriptor


def _write_new(path: str, mode: int, pieces: Iterable[bytes]) -> int:
    """Write a new file and have it on the disk; octets. On failure there is no file. Raises OSError."""
    descriptor = _create(path, mode)
    try:
        size = write_all(descriptor, pieces)
        os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
    finally:
        os.close(descriptor)
    return size


def _write_maildir(job: Job, path: str) -> tuple[str, int]:
    options = job.arguments
    for attempt in range(options["maildir_retries"]):
        seconds, microseconds = _now()
        base = f"{seconds}.H{microseconds}P{os.getpid()}.{options['primary_hostname']}"
        temporary = f"{path}/tmp/{base}"
        try:
            size = _write_new(temporary, options["mode"], job.content.pieces())
            break
        except FileExistsError:
            if attempt + 1 == options["maildir_retries"]:
                raise Trouble(f"failed to create file {temporary} after {attempt + 1} attempts", errno.EEXIST) from None
            time.sleep(2)
    final = f"{path}/new/{base}{options['tag']}"
    try:
        os.rename(temporary, final)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            os.unlink(temporary)
            raise
        final = f"{path}/new/{base}"
        os.rename(temporary, final)
    return final, size


def _write_mailstore(job: Job, path: str) -> tuple[str, int]:
    options = job.arguments
    base = f"{path}/{options['base_name']}"
    mode = options["mode"]
    _write_new(f"{base}.tmp", mode, [options["envelope"].encode("latin-1")])
    try:
        size = _write_new(f"{base}.msg", mode, job.content.pieces())
        os.rename(f"{base}.tmp", f"{base}.env")
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(f"{base}.tmp")
        raise
    return f"{base}.msg", size


def _write_plain(job: Job, path: str) -> tuple[str, int]:
    options = job.arguments
    temporary = f"{path}/temp.{os.getpid()}.{options['primary_hostname']}"
    if os.path.lexists(temporary):  # left behind, perhaps by a process of a container with the same host name
        seconds, microseconds = _now()
        temporary = f"{path}/temp.{os.getpid()}.{seconds}{microseconds:06d}.{options['primary_hostname']}"
    size = _write_new(temporary, options["mode"], job.content.pieces())
    if not options["file_name"]:
        return temporary, size
    return _move(temporary, f"{path}/{options['file_name']}"), size


def _rename(job: Job) -> Ended:
    """Give the file ``temporary`` of the directory its name, or remove it if there is none."""
    options = job.arguments
    path = options["path"]
    temporary = options["temporary"]
    if os.path.dirname(temporary) != path.rstrip("/"):
        raise Trouble(f"{temporary} is not in {path}", errno.EINVAL)
    try:
        if not options["file_name"]:
            os.unlink(temporary)
            return Ended(DELIVERED)
        final = _move(temporary, f"{path}/{options['file_name']}")
    except OSError as error:
        raise _write_trouble(error, path, PLAIN) from None
    ended = Ended(DELIVERED)
    ended.values["file"] = final
    return ended


def _move(temporary: str, final: str) -> str:
    """Give the file its final name; a file that has it already stays."""
    try:
        os.link(temporary, final, follow_symlinks=False)
    except OSError as error:
        os.unlink(temporary)
        raise OSError(error.errno, error.strerror, temporary, None, final) from None
    os.unlink(temporary)
    return final

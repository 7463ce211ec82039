"""Write a copy of a message's spool files into a directory: first -D, so that a -H file means that all is there."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from eximious.transports.job import Ended, Job
from eximious.transports.jobs.append import write_all
from eximious.transports.outcome import DEFERRED, DELIVERED


def perform(job: Job) -> Ended:
    """Write ``name``-D and ``name``-H into the directory ``path``, which must exist.

    The content's head is the -H file (and goes into no other), its body that of the message. Other arguments: ``mode``.
    """
    path, name, mode = job.arguments["path"], job.arguments["name"], job.arguments["mode"]
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        return Ended(DEFERRED, f"failed to open queue directory {path}", error.errno or 0)
    try:
        return _write_both(folder, job, name, mode)
    except OSError as error:
        return Ended(DEFERRED, f"{path}: {error.strerror} while writing {name}", error.errno or 0)
    finally:
        os.close(folder)


def _write_both(folder: int, job: Job, name: str, mode: int) -> Ended:
    header, job.content.head = job.content.head, f"{name}-D\n".encode("latin-1")
    size = _write(folder, f"{name}-D", mode, job.content.pieces())
    try:
        size += _write(folder, f"{name}-H", mode, iter((header,)))
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(f"{name}-D", dir_fd=folder)
        raise
    os.fsync(folder)
    ended = Ended(DELIVERED)
    ended.values["size"] = size
    return ended


def _write(folder: int, name: str, mode: int, pieces: Iterator[bytes]) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, mode, dir_fd=folder)
    try:
        os.fchmod(descriptor, stat.S_IMODE(mode))
        size = write_all(descriptor, pieces)
        os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)
    return size

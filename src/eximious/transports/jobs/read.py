"""Read a file that only its user may read: a .forward file, the text of an automatic reply."""

from __future__ import annotations

import os
import stat

from eximious.transports.job import Ended, Job
from eximious.transports.outcome import DEFERRED, DELIVERED


def perform(job: Job) -> Ended:
    """Open the file ``path`` for reading; the report hands over the descriptor.

    Only regular files are opened. Values: ``mode``, ``uid``, ``gid``, ``size``, ``mtime`` of the file; on failure
    the report has the error number.
    """
    path = job.arguments["path"]
    try:
        # Not to be kept waiting by a named pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        return Ended(DEFERRED, error.strerror or "", error.errno or 0)
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        os.close(descriptor)
        return Ended(DEFERRED, "not a regular file", 0)
    ended = Ended(DELIVERED)
    ended.descriptor = descriptor
    ended.values.update(
        mode=stat.S_IMODE(state.st_mode),
        uid=state.st_uid,
        gid=state.st_gid,
        size=state.st_size,
        mtime=state.st_mtime,
    )
    return ended

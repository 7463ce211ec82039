"""Pass the message through a command on its way out.

(Exim specification, option transport_filter.)
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator

from eximious.transports.job import Ended, Job
from eximious.transports.jobs.command import EXEC_FAILED, core_dumps, start
from eximious.transports.outcome import DEFERRED, DELIVERED, FILTER_FAILED


def perform(job: Job) -> Ended:
    """Run ``argv`` with ``environment``, waiting at most ``timeout`` seconds for each piece of output.

    The report hands over an open file with the output. If the command fails, `errno` is FILTER_FAILED and `more_errno`
    its exit status (or the negative number of a signal); if its time is over, the value ``timed_out`` is true.
    """
    try:
        with core_dumps(False):
            running = start(job.arguments["argv"], job.arguments["environment"])
    except OSError:
        return Ended(DEFERRED, "", FILTER_FAILED, EXEC_FAILED)
    result = os.memfd_create("filtered", os.MFD_CLOEXEC)
    try:
        timed_out = not _pump(running.stdin, running.stdout, result, job.content.pieces(), job.arguments["timeout"])
    finally:
        os.close(running.stdout)
    if timed_out:
        running.kill()
    status = os.waitstatus_to_exitcode(os.waitpid(running.pid, 0)[1])
    if timed_out or status:
        os.close(result)
        ended = Ended(DEFERRED, "", FILTER_FAILED, status)
        ended.values["timed_out"] = timed_out
        return ended
    os.lseek(result, 0, os.SEEK_SET)
    ended = Ended(DELIVERED)
    ended.descriptor = result
    return ended


def _pump(stdin: int, stdout: int, result: int, pieces: Iterator[bytes], timeout: float) -> bool:
    """Feed the command and collect its output; False if it gave no sign of life for too long."""
    poll = select.poll()
    poll.register(stdout, select.POLLIN)
    poll.register(stdin, select.POLLOUT)
    os.set_blocking(stdin, False)
    pending: bytes | None = b""
    limit = time.monotonic() + timeout
    try:
        while True:
            left = limit - time.monotonic() if timeout > 0 else None
            if left is not None and left <= 0:
                return False
            for descriptor, _ in poll.poll(None if left is None else left * 1000):
                limit = time.monotonic() + timeout
                if descriptor == stdout:
                    data = os.read(stdout, 65536)
                    if not data:
                        return True
                    os.write(result, data)
                elif pending is not None:
                    pending = _feed(stdin, pending or next(pieces, b""))
                    if pending is None:
                        poll.unregister(stdin)
                        os.close(stdin)
    finally:
        if pending is not None:
            os.close(stdin)


def _feed(stdin: int, data: bytes) -> bytes | None:
    """Write some of the data; what is left of it, None when nothing more is to be written."""
    if not data:
        return None
    try:
        return data[os.write(stdin, data) :]
    except BlockingIOError:
        return data
    except BrokenPipeError:
        return None

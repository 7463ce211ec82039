"""Start a command and hand back a stream to it, for a dialogue such as LMTP."""

from __future__ import annotations

import os
import socket

from eximious.transports.job import Ended, Job
from eximious.transports.jobs.command import core_dumps, spawn
from eximious.transports.outcome import DEFERRED, DELIVERED


def perform(job: Job) -> Ended:
    """Run ``argv`` with ``environment``. The report hands over the socket that the command has as input and output.

    The value ``pid`` is the command's process. It is reaped by whoever runs the jobs.
    """
    ours, theirs = socket.socketpair()
    try:
        with core_dumps(False):
            pid = spawn(job.arguments["argv"], job.arguments["environment"], theirs.fileno(), theirs.fileno())
    except OSError as error:
        ours.close()
        return Ended(DEFERRED, f"Failed to create child process for {job.arguments['what']}: {error.strerror}", 0)
    finally:
        theirs.close()
    ended = Ended(DELIVERED)
    ended.values["pid"] = pid
    ended.descriptor = os.dup(ours.fileno())
    ours.close()
    return ended

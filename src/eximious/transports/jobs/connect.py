"""Connect to a Unix-domain socket and hand back the stream: whether that is permitted depends on the user."""

from __future__ import annotations

import socket

from eximious.transports.job import Ended, Job
from eximious.transports.outcome import DEFERRED, DELIVERED


def perform(job: Job) -> Ended:
    """Connect to ``path`` within ``timeout`` seconds (0: any time). The report hands over the socket."""
    path = job.arguments["path"]
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(job.arguments["timeout"] or None)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        text = error.strerror or str(error)
        return Ended(
            DEFERRED, f"Failed to connect to socket {path} for {job.arguments['what']}: {text}", error.errno or 0
        )
    connection.setblocking(True)
    ended = Ended(DELIVERED)
    ended.descriptor = connection.detach()
    return ended

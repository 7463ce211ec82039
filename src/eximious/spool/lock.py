"""Locks on spool files, which Exim's processes respect and hold: the first line of a -D file, for writing.

On Linux the lock belongs to the open file, not to the process: two deliveries in one process exclude each other too,
and closing another descriptor of the file does not release it. Such locks conflict with those that Exim takes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from eximious.spool.errors import spool_error


def try_lock(fd: int, length: int) -> bool:
    """Lock the first `length` octets of an open file. False if somebody else has them. The lock ends with the file."""
    try:
        if hasattr(fcntl, "F_OFD_SETLK"):
            # struct flock: type, whence, (padding), start, length, process id, (padding)
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack("hh4xqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, length, 0))
        else:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, length)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise spool_error("cannot lock a spool file", error) from error
    return True

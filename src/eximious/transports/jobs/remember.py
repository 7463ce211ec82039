"""The log file of the autoreply transport, and its memory of whom it has answered, both the user's own files."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from typing import Final

from eximious.transports.job import Ended, Job
from eximious.transports.outcome import DEFERRED, DELIVERED

# A record of the file of fixed size (once_file_size): when, then the address; addresses end with a NUL.
TIME: Final = struct.Struct("=q")


def perform(job: Job) -> Ended:
    """Look in, or add to, what the transport remembers.

    Arguments: ``action`` and ``path``. ``log``: append ``text`` to the file, made with ``mode``. ``seen``: was ``key``
    answered within ``repeat`` seconds (0: ever)? The value ``seen`` tells. ``add``: remember that ``key`` is answered
    now; ``size`` limits the file in octets (0: no limit), the oldest entries making room.
    """
    arguments = job.arguments
    try:
        if arguments["action"] == "log":
            _append(arguments["path"], arguments["text"], arguments["mode"])
            return Ended(DELIVERED)
        with _Memory(arguments["path"]) as memory:
            if arguments["action"] == "add":
                memory.add(arguments["key"], arguments["size"])
                return Ended(DELIVERED)
            ended = Ended(DELIVERED)
            ended.values["seen"] = memory.has(arguments["key"], arguments["repeat"])
            return ended
    except OSError as error:
        return Ended(DEFERRED, error.strerror or "", error.errno or 0)


def _append(path: str, text: str, mode: int) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, text.encode("latin-1"))
    finally:
        os.close(descriptor)


class _Memory:
    """The file: records of a time and an address. It is locked while it is open."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        self._entries = self._load()

    def __enter__(self) -> _Memory:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def _load(self) -> dict[bytes, int]:
        """What is remembered, the oldest first. A damaged tail is ignored."""
        data = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)
        entries: dict[bytes, int] = {}
        position = 0
        while position + TIME.size < len(data):
            end = data.find(b"\0", position + TIME.size)
            if end < 0:
                break
            key = data[position + TIME.size : end]
            entries.pop(key, None)
            (entries[key],) = TIME.unpack_from(data, position)
            position = end + 1
        return entries

    def has(self, key: str, repeat: float) -> bool:
        """True if the address has been answered, not too long ago."""
        when = self._entries.get(key.encode("latin-1"))
        return when is not None and (repeat <= 0 or time.time() - when < repeat)

    def add(self, key: str, size: int) -> None:
        """Remember the address, and forget old ones that have no room any more."""
        octets = key.encode("latin-1").replace(b"\0", b"")
        self._entries.pop(octets, None)
        self._entries[octets] = int(time.time())
        records = [TIME.pack(when) + address + b"\0" for address, when in self._entries.items()]
        total = sum(map(len, records))
        while size and total > size and len(records) > 1:
            total -= len(records.pop(0))
        data = b"".join(records)
        os.pwrite(self._descriptor, data, 0)
        os.ftruncate(self._descriptor, len(data))

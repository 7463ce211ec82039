"""Running a command for an expansion: no shell, no input, three descriptors, limited time and output."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Final

from eximious.errors import ExpandError
from eximious.waiting import in_thread

if TYPE_CHECKING:
    import subprocess

TIMEOUT: Final = 60.0  # seconds that a command may take
MOST_OUTPUT: Final = 16 * 1024 * 1024  # octets
CANNOT_RUN: Final = 127  # the status that shells have for commands that cannot be run


class Ended:
    """How a command ended: its exit status, and what it wrote to standard output and error."""

    __slots__ = ("output", "status")

    def __init__(self, status: int, output: str) -> None:
        self.status = status
        self.output = output


def run_command(argv: list[str]) -> Ended:
    """Run a command to its end. Raises ExpandError if it takes too long, writes too much or is killed by a signal."""
    return in_thread(_run, [word.encode("latin-1") for word in argv])


def _run(argv: list[bytes]) -> Ended:
    import subprocess

    if not argv[0].startswith(b"/"):
        return Ended(CANNOT_RUN, "")
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
        )
    except (OSError, ValueError):
        return Ended(CANNOT_RUN, "")
    end = time.monotonic() + TIMEOUT
    output = _read(process, end)
    try:
        status = process.wait(max(0.0, end - time.monotonic()))  # it may have closed its output and go on
    except subprocess.TimeoutExpired:
        _kill(process)
        raise ExpandError("command timed out") from None
    if status < 0:
        raise ExpandError(f"command killed by signal {-status}")
    return Ended(status, output.decode("latin-1"))


def _read(process: subprocess.Popen[bytes], end: float) -> bytes:
    """All that the command writes. It is killed when its time is over, or when it writes too much."""
    import select

    assert process.stdout is not None
    fd = process.stdout.fileno()
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    parts: list[bytes] = []
    size = 0
    with process.stdout:
        while poller.poll(max(0.0, end - time.monotonic()) * 1000):
            part = os.read(fd, 65536)
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > MOST_OUTPUT:
                _kill(process)
                raise ExpandError("command wrote too much")
        _kill(process)
    raise ExpandError("command timed out")


def _kill(process: subprocess.Popen[bytes]) -> None:
    import contextlib

    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

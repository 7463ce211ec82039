"""Run a command with the message on its standard input, and keep what it writes.

(Exim specification, "The pipe transport".)
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import time
from collections.abc import Iterator
from typing import Final

from eximious.transports.job import Ended, Job
from eximious.transports.outcome import DELIVERED

EXEC_FAILED: Final = 127  # what a shell's exit status is when it cannot run a command
GRACE: Final = 1.0  # seconds for output after the command's end, if something it started still holds the pipe


def perform(job: Job) -> Ended:
    """Run ``argv`` with ``environment``, for at most ``timeout`` seconds (0: any time).

    Other arguments: ``max_output`` (octets; when there is more the command is killed), ``permit_coredump``. Values of
    the report: ``status`` (exit status, or the negative number of a signal), ``timed_out``, ``output``,
    ``too_much_output``, ``exec_errno``. The status of the report is always "delivered": what the command's end means is
    for the transport.
    """
    arguments = job.arguments
    ended = Ended(DELIVERED)
    ended.values = {"status": 0, "timed_out": False, "output": "", "too_much_output": False, "exec_errno": 0}
    with core_dumps(arguments["permit_coredump"]):
        try:
            running = start(arguments["argv"], arguments["environment"])
        except OSError as error:
            ended.values.update(status=EXEC_FAILED, exec_errno=error.errno or 0)
            return ended
    conversation = _Conversation(running, job.content.pieces(), arguments["max_output"], arguments["timeout"])
    conversation.run()
    ended.values.update(
        status=conversation.status,
        timed_out=conversation.timed_out,
        output=bytes(conversation.output).decode("latin-1"),
        too_much_output=conversation.too_much,
    )
    return ended


class Running:
    """A command that has been started: its process, which leads a group, and our ends of its pipes."""

    __slots__ = ("pid", "stdin", "stdout")

    def __init__(self, pid: int, stdin: int, stdout: int) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout

    def kill(self) -> None:
        """End it, and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def start(argv: list[str], environment: dict[str, str]) -> Running:
    """Start a command with only descriptors 0 to 2, in a process group of its own. Raises OSError if it cannot run."""
    their_input, our_output = os.pipe2(os.O_CLOEXEC)
    our_input, their_output = os.pipe2(os.O_CLOEXEC)
    try:
        pid = spawn(argv, environment, their_input, their_output)
    except OSError:
        os.close(our_output)
        os.close(our_input)
        raise
    finally:
        os.close(their_input)
        os.close(their_output)
    return Running(pid, our_output, our_input)


def spawn(argv: list[str], environment: dict[str, str], stdin: int, stdout: int) -> int:
    """Start a command with these as standard input, and output and error; its process id. Raises OSError."""
    _keep_open_files_back()
    return os.posix_spawn(
        os.fsencode(argv[0]),
        [word.encode("latin-1") for word in argv],
        {name.encode("latin-1"): value.encode("latin-1") for name, value in environment.items()},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_DUP2, stdout, 1),
            (os.POSIX_SPAWN_DUP2, stdout, 2),
        ],
        setpgroup=0,
        setsigdef=(signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGXFSZ),
        setsigmask=(),
    )


def _keep_open_files_back() -> None:
    """Commands get descriptors 0 to 2 and no other, whatever this process was given (CVE-2020-28012)."""
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor > 2:
            with contextlib.suppress(OSError):
                os.set_inheritable(descriptor, False)


@contextlib.contextmanager
def core_dumps(permitted: bool) -> Iterator[None]:
    """What is started inside may dump core, or may not."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1] if permitted else 0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


class _Conversation:
    """Writing to a command and reading from it at the same time, until it ends or its time is over."""

    def __init__(self, running: Running, pieces: Iterator[bytes], max_output: int, timeout: float) -> None:
        self.running = running
        self.output = bytearray()
        self.too_much = False
        self.timed_out = False
        self.status = 0
        self._pieces = pieces
        self._pending = b""
        self._max_output = max_output
        self._deadline = time.monotonic() + timeout if timeout > 0 else None
        self._poll = select.poll()
        self._input_open = True
        self._output_open = True
        os.set_blocking(running.stdin, False)
        os.set_blocking(running.stdout, False)
        self._poll.register(running.stdin, select.POLLOUT)
        self._poll.register(running.stdout, select.POLLIN)

    def run(self) -> None:
        """Returns when the command has ended."""
        pidfd = os.pidfd_open(self.running.pid)
        self._poll.register(pidfd, select.POLLIN)
        try:
            self._talk(pidfd)
        finally:
            os.close(pidfd)
            self._close_input()
            os.close(self.running.stdout)

    def _talk(self, pidfd: int) -> None:
        ended = False
        while not (ended and not self._output_open):
            wait = self._seconds_left()
            if wait is not None and wait <= 0:
                if ended:
                    return
                self.timed_out = True
                self.running.kill()
                self._deadline = None
                continue
            for descriptor, _ in self._poll.poll(None if wait is None else wait * 1000):
                if descriptor == pidfd:
                    ended = True
                    self._poll.unregister(pidfd)
                    self.status = os.waitstatus_to_exitcode(os.waitpid(self.running.pid, 0)[1])
                    self._close_input()
                    # Something that the command left behind may keep the pipe open for ever.
                    self._deadline = time.monotonic() + GRACE
                elif descriptor == self.running.stdin:
                    self._write()
                else:
                    self._read()

    def _seconds_left(self) -> float | None:
        return None if self._deadline is None else self._deadline - time.monotonic()

    def _write(self) -> None:
        if not self._pending:
            self._pending = next(self._pieces, b"")
        if not self._pending:
            self._close_input()
            return
        try:
            self._pending = self._pending[os.write(self.running.stdin, self._pending) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            # The command does not want the rest; its exit status says whether that is all right.
            self._close_input()

    def _close_input(self) -> None:
        if self._input_open:
            self._input_open = False
            self._poll.unregister(self.running.stdin)
            os.close(self.running.stdin)

    def _read(self) -> None:
        try:
            data = os.read(self.running.stdout, 8192)
        except BlockingIOError:
            return
        if not data:
            self._output_open = False
            self._poll.unregister(self.running.stdout)
            return
        room = self._max_output - len(self.output)
        self.output += data[:room]
        if len(data) > room and not self.too_much:
            self.too_much = True
            self.running.kill()

"""The socket between whoever wants local jobs done and a job server: one request, one answer, and again.

A frame is its length in eight hexadecimal digits, a character that tells if an open file comes along, and the octets.
"""

from __future__ import annotations

import array
import contextlib
import os
import socket
from typing import Final

from eximious import waiting
from eximious.transports.job import Ended, Job, JobLost

HEAD: Final = 9
MAX_FRAME: Final = 256 * 1024 * 1024  # octets; what does not fit travels as an open file
FILE_FOLLOWS: Final = b"+"
NO_FILE: Final = b"-"


class Channel:
    """Our end of the socket to a job server."""

    __slots__ = ("_pid", "_socket")

    def __init__(self, sock: socket.socket, pid: int = 0) -> None:
        self._socket = sock
        self._pid = pid  # if it is our child

    def ask(self, job: Job) -> Ended:
        """Have a job done. Raises JobLost if the server ends before it has answered, OSError."""
        frame = job.encode()
        descriptor = job.content.descriptor
        try:
            if waiting.on_loop():
                answer, received = waiting.wait(_exchange(self._socket, frame, descriptor))
            else:
                self._socket.setblocking(True)
                send_frame(self._socket, frame, descriptor)
                answer, received = receive_frame(self._socket)
        except (EOFError, ConnectionError):
            raise JobLost("local delivery process ended before its job was done") from None
        ended = Ended.decode(answer)
        ended.descriptor = received
        return ended

    def is_alive(self) -> bool:
        """False if the server has gone while it was idle. It says nothing unasked, so anything to read is its end."""
        self._socket.setblocking(False)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Let the server go."""
        self._socket.close()
        if self._pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)


def head(frame: bytes, descriptor: int | None) -> bytes:
    """What goes in front of a frame."""
    return b"%08x" % len(frame) + (NO_FILE if descriptor is None else FILE_FOLLOWS)


def send_frame(sock: socket.socket, frame: bytes, descriptor: int | None = None) -> None:
    """Send a frame, and perhaps an open file, over a blocking socket. Raises OSError."""
    data = head(frame, descriptor) + frame
    sent = sock.sendmsg([data], rights(descriptor))
    if sent < len(data):
        sock.sendall(memoryview(data)[sent:])


def receive_frame(sock: socket.socket) -> tuple[bytes, int | None]:
    """The next frame and the open file that came with it, over a blocking socket. Raises EOFError, OSError."""
    data, ancillary, _, _ = sock.recvmsg(65536, socket.CMSG_SPACE(4))
    descriptor = received_descriptor(ancillary)
    if not data:
        raise EOFError
    while len(data) < HEAD:
        data += _some(sock, HEAD - len(data))
    size = frame_size(data)
    parts = [data[HEAD:]]
    missing = size - len(parts[0])
    while missing > 0:
        part = _some(sock, min(missing, 1 << 20))
        parts.append(part)
        missing -= len(part)
    return b"".join(parts), descriptor


def _some(sock: socket.socket, size: int) -> bytes:
    data = sock.recv(size)
    if not data:
        raise EOFError
    return data


def rights(descriptor: int | None) -> list[tuple[int, int, array.array[int]]]:
    """Ancillary data that hands over an open file."""
    if descriptor is None:
        return []
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]


def received_descriptor(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """The open file in ancillary data; more than one are closed again."""
    found: list[int] = []
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors = array.array("i")
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
            found.extend(descriptors)
    for extra in found[1:]:
        os.close(extra)
    for descriptor in found[:1]:
        os.set_inheritable(descriptor, False)
    return found[0] if found else None


def frame_size(data: bytes) -> int:
    """From the head of a frame. Raises JobLost if it is none."""
    try:
        size = int(data[:8], 16)
    except ValueError:
        raise JobLost("unintelligible report of a local job") from None
    if size > MAX_FRAME:
        raise JobLost("report of a local job is too long")
    return size


async def _exchange(sock: socket.socket, frame: bytes, descriptor: int | None) -> tuple[bytes, int | None]:
    """Send a frame and wait for the answer, while the event loop goes on."""
    import asyncio

    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    data = head(frame, descriptor) + frame
    try:
        sent = sock.sendmsg([data], rights(descriptor))
    except BlockingIOError:
        await _ready(sock, write=True)
        sent = sock.sendmsg([data], rights(descriptor))
    if sent < len(data):
        await loop.sock_sendall(sock, memoryview(data)[sent:])
    await _ready(sock, write=False)
    answer, ancillary, _, _ = sock.recvmsg(65536, socket.CMSG_SPACE(4))
    received = received_descriptor(ancillary)
    if not answer:
        raise EOFError
    while len(answer) < HEAD or len(answer) - HEAD < frame_size(answer):
        more = await loop.sock_recv(sock, 1 << 20)
        if not more:
            raise EOFError
        answer += more
    return answer[HEAD:], received


async def _ready(sock: socket.socket, *, write: bool) -> None:
    import asyncio

    running = asyncio.get_running_loop()
    done = running.create_future()

    def finish() -> None:
        if not done.done():
            done.set_result(None)

    descriptor = sock.fileno()
    add, remove = (running.add_writer, running.remove_writer) if write else (running.add_reader, running.remove_reader)
    add(descriptor, finish)
    try:
        await done
    finally:
        remove(descriptor)

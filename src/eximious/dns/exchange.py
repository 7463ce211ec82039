"""One question to the servers: whom to ask next, over what, and what to make of what comes back.

`ask` decides and does nothing: it is a generator that yields a `Try` and is sent what came of it. `run_blocking` and
`run_on_loop` do and decide nothing.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from eximious.dns.resolv_conf import ResolvConf
from eximious.dns.wire import (
    FORMERR,
    NOERROR,
    NOTIMP,
    NXDOMAIN,
    MalformedResponse,
    Response,
    decode,
    encode_query,
)

if TYPE_CHECKING:
    import asyncio

TCP_LIMIT: Final = 65535


class Try:
    """Send this message to that server, over UDP once more after each of the `waits` (seconds) but the last."""

    __slots__ = ("message", "server", "use_tcp", "waits")

    def __init__(self, message: bytes, server: tuple[str, int], waits: Sequence[float], use_tcp: bool) -> None:
        self.message = message
        self.server = server
        self.waits = waits
        self.use_tcp = use_tcp

    @property
    def timeout(self) -> float:
        """Seconds for all of it."""
        return sum(self.waits)

    def is_answered_by(self, data: bytes) -> bool:
        """True if the octets are a response to this very message: same id, same question."""
        message = self.message
        if data[:2] != message[:2] or len(data) < 12 or not data[2] & 0x80:
            return False
        if data[4:6] == b"\0\0":
            return True  # some servers do not repeat the question of what they cannot read
        end = message.index(b"\0", 12) + 5
        return data[12:end].lower() == message[12:end].lower()


class NoResponse(OSError):
    """No server gave a usable response."""


Asking: TypeAlias = Generator[Try, bytes | OSError, Response]


def ask(name: str, type: str, conf: ResolvConf, *, edns: bool, dnssec_ok: bool, first_server: int = 0) -> Asking:
    """Ask the servers in turn, a number of times. Returns the first response that settles the matter, else the last.

    Raises NoResponse, or BadName at once.
    """
    servers = conf.servers[first_server:] + conf.servers[:first_server]
    settled: Response | None = None
    why: OSError = NoResponse("no DNS server")
    # Where waits grow, they are for the same question: an answer to the first copy that comes late will do.
    waits = [conf.timeout * 2**attempt for attempt in range(conf.attempts)] if conf.backs_off else [conf.timeout]
    for _ in range(1 if conf.backs_off else conf.attempts):
        for server in servers:
            use_tcp = conf.use_tcp
            with_edns = edns
            while True:
                message = encode_query(
                    int.from_bytes(os.urandom(2), "big"), name, type, edns=with_edns, dnssec_ok=with_edns and dnssec_ok
                )
                data = yield Try(message, server, waits, use_tcp)
                if isinstance(data, OSError):
                    why = data
                    break
                try:
                    response = decode(data)
                except MalformedResponse as error:
                    why = NoResponse(f"malformed response: {error}")
                    break
                if response.is_truncated and not use_tcp:
                    use_tcp = True
                    continue
                if response.rcode in (FORMERR, NOTIMP) and with_edns:
                    with_edns = False
                    continue
                if response.rcode in (NOERROR, NXDOMAIN):
                    return response
                settled = response
                break
        if settled is not None:
            return settled
    raise NoResponse(*why.args)


def run_blocking(asking: Asking) -> Response:
    """Carry it out with plain sockets."""
    result: bytes | OSError | None = None
    while True:
        try:
            step = asking.send(result)  # type: ignore[arg-type]
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        try:
            result = _tcp_blocking(step) if step.use_tcp else _udp_blocking(step)
        except OSError as error:
            result = error


async def run_on_loop(asking: Asking) -> Response:
    """Carry it out on the running event loop."""
    result: bytes | OSError | None = None
    while True:
        try:
            step = asking.send(result)  # type: ignore[arg-type]
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        try:
            result = await (_tcp_on_loop(step) if step.use_tcp else _udp_on_loop(step))
        except OSError as error:
            result = error


def _connected(step: Try, kind: int) -> socket.socket:
    """A non-blocking socket of its own for each question, so that its port is hard to guess, too."""
    family = socket.AF_INET6 if ":" in step.server[0] else socket.AF_INET
    plain = socket.socket(family, kind | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        plain.connect(step.server)
    except BlockingIOError:
        pass  # TCP: on its way
    except BaseException:
        plain.close()
        raise
    return plain


def _udp_blocking(step: Try) -> bytes:
    with _connected(step, socket.SOCK_DGRAM) as plain:
        for wait in step.waits:
            deadline = time.monotonic() + wait
            plain.send(step.message)
            while _is_ready(plain, select.POLLIN, deadline):
                data = plain.recv(TCP_LIMIT)
                if step.is_answered_by(data):
                    return data
    raise NoResponse("timed out")


def _tcp_blocking(step: Try) -> bytes:
    deadline = time.monotonic() + step.timeout
    with _connected(step, socket.SOCK_STREAM) as plain:
        _wait(plain, select.POLLOUT, deadline)
        plain.send(struct.pack("!H", len(step.message)) + step.message)
        received = bytearray()
        while (missing := _missing(received)) > 0:
            _wait(plain, select.POLLIN, deadline)
            piece = plain.recv(missing)
            if not piece:
                raise NoResponse("connection closed")
            received += piece
    return _checked(step, bytes(received[2:]))


def _is_ready(plain: socket.socket, events: int, deadline: float) -> bool:
    poller = select.poll()
    poller.register(plain.fileno(), events)
    return bool(poller.poll(max(0.0, deadline - time.monotonic()) * 1000))


def _wait(plain: socket.socket, events: int, deadline: float) -> None:
    if not _is_ready(plain, events, deadline):
        raise NoResponse("timed out")


def _missing(received: bytearray) -> int:
    """How many octets of a TCP response (with its length before it) are still to come."""
    if len(received) < 2:
        return 2 - len(received)
    return 2 + (received[0] << 8 | received[1]) - len(received)


def _checked(step: Try, data: bytes) -> bytes:
    if not step.is_answered_by(data):
        raise NoResponse("response to another question")
    return data


async def _udp_on_loop(step: Try) -> bytes:
    import asyncio

    loop = asyncio.get_running_loop()
    plain = _connected(step, socket.SOCK_DGRAM)
    answered: asyncio.Future[bytes] = loop.create_future()
    timers: list[asyncio.TimerHandle] = []
    try:
        plain.send(step.message)
        loop.add_reader(plain.fileno(), _receive, plain, step, answered)
        passed = 0.0
        for wait in step.waits[:-1]:
            passed += wait
            timers.append(loop.call_later(passed, _send_again, plain, step, answered))
        timers.append(loop.call_later(step.timeout, _give_up, answered))
        return await answered
    finally:
        if timers:
            for timer in timers:
                timer.cancel()
            loop.remove_reader(plain.fileno())
        plain.close()


def _send_again(plain: socket.socket, step: Try, answered: asyncio.Future[bytes]) -> None:
    try:
        plain.send(step.message)
    except OSError as error:
        if not answered.done():
            answered.set_exception(error)


def _receive(plain: socket.socket, step: Try, answered: asyncio.Future[bytes]) -> None:
    try:
        data = plain.recv(TCP_LIMIT)
    except BlockingIOError:
        return
    except OSError as error:
        if not answered.done():
            answered.set_exception(error)
        return
    if step.is_answered_by(data) and not answered.done():
        answered.set_result(data)


def _give_up(answered: asyncio.Future[bytes]) -> None:
    if not answered.done():
        answered.set_exception(NoResponse("timed out"))


async def _tcp_on_loop(step: Try) -> bytes:
    import asyncio

    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in step.server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as plain:
        try:
            async with asyncio.timeout(step.timeout):
                await loop.sock_connect(plain, step.server)
                await loop.sock_sendall(plain, struct.pack("!H", len(step.message)) + step.message)
                received = bytearray()
                while (missing := _missing(received)) > 0:
                    piece = await loop.sock_recv(plain, missing)
                    if not piece:
                        raise NoResponse("connection closed")
                    received += piece
        except TimeoutError:
            raise NoResponse("timed out") from None
    return _checked(step, bytes(received[2:]))

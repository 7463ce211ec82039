"""Every kind of stream passes the same tests: on asyncio's loop, on uvloop, and blocking."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from eximious import waiting
from eximious.net.blocking import BlockingStream, SocketStream
from eximious.net.connect import connect
from eximious.net.dscp import mark
from eximious.net.loop import HIGH_WATER, LoopStream
from eximious.net.memory import MemoryStream
from eximious.net.stream import WRITE_LIMIT, Endpoint, Stream

Serve = Callable[[Stream], None]
Use = Callable[[Callable[[], Stream]], Any]


def echo(stream: Stream) -> None:
    """Give back, in capitals, what comes; at the end say so."""
    while data := stream.read():
        stream.write(data.upper())
    stream.write(b"(end)")
    stream.close()


class Blocking:
    """Server and client with blocking sockets, the server in a thread."""

    def run(self, serve: Serve, use: Use) -> Any:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                stream = SocketStream(connection)
                stream.timeout = 5
                threads.append(threading.Thread(target=quietly, args=(serve, stream)))
                threads[-1].start()

        threads: list[threading.Thread] = []
        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            return use(lambda: connect("127.0.0.1", port, timeout=5))
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            acceptor.join()
            for thread in threads:
                thread.join()


def quietly(serve: Serve, stream: Stream) -> None:
    try:
        serve(stream)
    except OSError:
        stream.abort()


class OnLoop:
    """Server and client on one event loop."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self.start = run

    def run(self, serve: Serve, use: Use) -> Any:
        return self.start(self._run(serve, use))

    async def _run(self, serve: Serve, use: Use) -> Any:
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []

        def begin(stream: LoopStream) -> None:
            stream.timeout = 5
            tasks.append(loop.create_task(waiting.run(quietly, serve, stream)))

        server = await loop.create_server(lambda: LoopStream(begin), "127.0.0.1", 0)  # type: ignore[arg-type,return-value]
        port = server.sockets[0].getsockname()[1]
        try:
            return await waiting.run(use, lambda: connect("127.0.0.1", port, timeout=5))
        finally:
            server.close()
            await asyncio.gather(*tasks)


KINDS: dict[str, Blocking | OnLoop] = {
    "blocking": Blocking(),
    "asyncio": OnLoop(asyncio.run),
    "uvloop": OnLoop(uvloop.run),
}


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Blocking | OnLoop:
    return request.param  # type: ignore[no-any-return]


def test_dialogue(kind: Blocking | OnLoop) -> None:
    def use(make: Callable[[], Stream]) -> None:
        with make() as stream:
            assert stream.peer.address == stream.local.address == "127.0.0.1"
            stream.write(b"ab")
            stream.write(b"cd")
            assert read(stream, 4) == b"ABCD"
            stream.write(b"e" * 10)
            assert read(stream, 10, at_once=3) == b"E" * 10

    kind.run(echo, use)


@pytest.mark.parametrize(
    ("text", "marked"), [("AF21", 0x48), ("0x2e", 0xB8), ("lowdelay", 0x10), ("0x40", 0), ("x", 0)]
)
def test_packets_are_marked(kind: Blocking | OnLoop, text: str, marked: int) -> None:
    def serve(stream: Stream) -> None:
        mark(stream, text)
        stream.write(b"%d\n" % stream.socket.getsockopt(socket.IPPROTO_IP, socket.IP_TOS))
        stream.close()

    def use(make: Callable[[], Stream]) -> bytes:
        with make() as stream:
            return read(stream, 100)

    assert kind.run(serve, use) == b"%d\n" % marked


def test_without_a_socket_nothing_is_marked() -> None:
    mark(MemoryStream(peer=Endpoint("192.0.2.1", 25)), "ef")


def read(stream: Stream, size: int, at_once: int = 65536) -> bytes:
    data = b""
    while len(data) < size:
        piece = stream.read(min(at_once, size - len(data)))
        assert len(piece) <= at_once
        if not piece:
            break
        data += piece
    return data


def test_much_in_both_directions(kind: Blocking | OnLoop) -> None:
    size = 8 * HIGH_WATER

    def serve(stream: Stream) -> None:
        received = len(read(stream, size))
        stream.write(b"x" * received)
        stream.close()

    def use(make: Callable[[], Stream]) -> None:
        with make() as stream:
            for _ in range(size // WRITE_LIMIT):
                stream.write(b"y" * WRITE_LIMIT)
            assert len(read(stream, size + 1)) == size

    kind.run(serve, use)


@pytest.mark.slow
def test_a_slow_reader_holds_the_writer_back(kind: Blocking | OnLoop) -> None:
    written = [0]

    def serve(stream: Stream) -> None:
        stream.timeout = 0.1
        try:
            for _ in range(500):
                stream.write(b"x" * 100_000)
                written[0] += 100_000
        except TimeoutError:
            stream.abort()

    def use(make: Callable[[], Stream]) -> None:
        stream = make()
        waiting.sleep(0.3)
        stream.abort()

    kind.run(serve, use)
    assert written[0] < 40_000_000


@pytest.mark.slow
def test_time_limit(kind: Blocking | OnLoop) -> None:
    def use(make: Callable[[], Stream]) -> None:
        with make() as stream:
            for seconds in (0.15, 0.03, 0.06):
                stream.timeout = seconds
                before = time.monotonic()
                with pytest.raises(TimeoutError) as caught:
                    stream.read()
                assert caught.value.errno == errno.ETIMEDOUT
                assert seconds - 0.01 < time.monotonic() - before < seconds + 1
            stream.timeout = 5
            stream.write(b"x")
            assert stream.read() == b"X"

    kind.run(echo, use)


def test_end_of_input(kind: Blocking | OnLoop) -> None:
    def serve(stream: Stream) -> None:
        stream.write(b"bye")
        stream.close()
        stream.close()

    def use(make: Callable[[], Stream]) -> None:
        stream = make()
        assert read(stream, 10) == b"bye"
        assert stream.read() == b""
        assert stream.read() == b""
        assert stream.has_input()
        stream.close()

    kind.run(serve, use)


def until_it_fails(stream: Stream) -> None:
    for _ in range(50):
        stream.read()
        stream.write(b"x")
        stream.flush()
        waiting.sleep(0.01)


def test_peer_that_drops_the_connection(kind: Blocking | OnLoop) -> None:
    def serve(stream: Stream) -> None:
        stream.read()
        stream.write(b"lost")
        stream.abort()

    def use(make: Callable[[], Stream]) -> None:
        stream = make()
        stream.write(b"x")
        with pytest.raises(ConnectionError):
            until_it_fails(stream)
        with pytest.raises(ConnectionError):
            until_it_fails(stream)
        stream.close()

    kind.run(serve, use)


def test_is_there_input(kind: Blocking | OnLoop) -> None:
    def use(make: Callable[[], Stream]) -> None:
        with make() as stream:
            assert not stream.has_input()
            stream.write(b"x")
            stream.flush()
            deadline = time.monotonic() + 5
            while not stream.has_input() and time.monotonic() < deadline:
                pause(0.005)  # the loop does not run meanwhile, so only the kernel knows
                waiting.sleep(0)
            assert stream.has_input()
            assert stream.read() == b"X"
            assert not stream.has_input()

    def pause(seconds: float) -> None:
        threading.Event().wait(seconds)

    kind.run(echo, use)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_close_does_not_wait_for_ever(run: Callable[..., Any]) -> None:
    """What a peer does not read is given up when the time limit is over."""

    async def use() -> None:
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        stream = LoopStream()
        lost = loop.create_future()
        stream.when_lost(lambda: lost.set_result(None))
        await loop.create_connection(lambda: stream, sock=ours)  # type: ignore[type-var]
        stream.timeout = 0.05
        with pytest.raises(TimeoutError):
            await waiting.run(stream.write, b"x" * 10_000_000)
        stream.close()
        await asyncio.wait_for(lost, 5)
        stream.when_lost(lambda: None)
        theirs.close()

    run(use())


@pytest.mark.parametrize("on_loop", [False, True])
def test_nobody_listens(on_loop: bool) -> None:
    def use() -> None:
        with pytest.raises(ConnectionRefusedError) as caught:
            connect("127.0.0.1", 1, timeout=5)
        assert caught.value.errno == errno.ECONNREFUSED
        with pytest.raises(FileNotFoundError):
            connect("/nonexistent/socket")
        with pytest.raises(OSError, match="Cannot assign requested address"):
            connect("127.0.0.1", 1, interface="192.0.2.1")

    if on_loop:
        uvloop.run(waiting.run(use))
    else:
        use()


@pytest.mark.parametrize("on_loop", [False, True])
def test_host_that_does_not_answer(on_loop: bool) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:  # the queue of connections is full; the kernel answers no more
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))

    def use() -> None:
        with pytest.raises(TimeoutError) as caught:
            connect("127.0.0.1", port, timeout=0.1)
        assert caught.value.errno == errno.ETIMEDOUT

    try:
        if on_loop:
            uvloop.run(waiting.run(use))
        else:
            use()
    finally:
        for one in (listener, *fillers):
            one.close()


@pytest.mark.parametrize("run", [None, asyncio.run, uvloop.run])
def test_unix_socket(tmp_path: Path, run: Callable[..., Any] | None) -> None:
    path = str(tmp_path / "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def use() -> None:
        with connect(path, timeout=5) as stream:
            other, _ = listener.accept()
            other.sendall(b"hello")
            assert stream.read() == b"hello"
            assert stream.peer == Endpoint(path)
            other.close()

    if run is None:
        use()
    else:
        run(waiting.run(use))
    listener.close()


def test_interface_and_options() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    option = (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with connect("127.0.0.1", listener.getsockname()[1], interface="127.0.0.5", options=[option]) as stream:
        assert stream.local.address == "127.0.0.5"
        other, address = listener.accept()
        assert address[0] == "127.0.0.5"
        other.close()
    listener.close()


@pytest.fixture
def pipes() -> Iterator[tuple[int, int, int, int]]:
    fds = (*os.pipe(), *os.pipe())
    yield fds
    for fd in fds:
        with contextlib.suppress(OSError):
            os.close(fd)


def test_standard_input_and_output(pipes: tuple[int, int, int, int]) -> None:
    input_fd, to_us, from_us, output_fd = pipes
    stream = BlockingStream(input_fd, output_fd)
    os.write(to_us, b"abc")
    assert stream.has_input()
    assert stream.read(2) == b"ab"
    stream.write(b"def")
    stream.timeout = 0.05
    assert stream.read() == b"c"
    with pytest.raises(TimeoutError):
        stream.read()  # which sends what waits, first
    assert os.read(from_us, 100) == b"def"
    with pytest.raises(TimeoutError):
        stream.write(b"x" * 200_000)  # more than fits
    assert os.read(from_us, 10) == b"x" * 10
    os.close(to_us)
    assert stream.read() == b""
    stream.close()
    os.fstat(output_fd)  # still open: it is the caller's


def test_memory() -> None:
    stream = MemoryStream(b"abc", b"d", peer=Endpoint("192.0.2.1", 25))
    assert stream.has_input()
    assert stream.read(2) == b"ab"
    assert stream.read() == b"c"
    stream.write(b"one")
    assert stream.sent == b""
    stream.flush()
    assert stream.read() == b"d"
    assert stream.read() == b""
    stream.give(b"more")
    assert stream.read() == b"more"
    stream.write(b"two")
    stream.close()
    assert stream.sent == b"onetwo"
    assert stream.is_closed
    assert stream.peer.port == 25


ENDPOINTS = [
    (("192.0.2.1", 25), Endpoint("192.0.2.1", 25)),
    (("::ffff:192.0.2.1", 25, 0, 0), Endpoint("192.0.2.1", 25)),
    (("fe80::1%eth0", 25, 0, 2), Endpoint("fe80::1", 25)),
    ("/run/socket", Endpoint("/run/socket")),
    (b"\0abstract", Endpoint("\0abstract")),
    (None, Endpoint()),
]


@pytest.mark.parametrize(("name", "endpoint"), ENDPOINTS)
def test_endpoint(name: object, endpoint: Endpoint) -> None:
    assert Endpoint.of(name) == endpoint
    assert len({Endpoint.of(name), endpoint}) == 1
    assert endpoint != "x"
    assert repr(endpoint).startswith("Endpoint(")

"""Connecting to another host: a stream on the event loop if there is one, else a blocking one."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

from eximious.net.stream import Stream, timed_out
from eximious.waiting import on_loop, wait

if TYPE_CHECKING:
    import asyncio

SocketOption: TypeAlias = tuple[int, int, int]  # level, name, value


def connect(
    address: str,
    port: int = 0,
    *,
    interface: str = "",
    interface_port: int = 0,
    timeout: float | None = None,
    keepalive: bool = True,
    options: Sequence[SocketOption] = (),
) -> Stream:
    """A connection to an IP address and port, or to a Unix socket if `address` is a path.

    `interface` is the local IP address to come from; `timeout` is in seconds and becomes the stream's. Names are not
    looked up. Raises OSError with an errno: TimeoutError, ConnectionRefusedError, ...
    """
    family, target = _target(address, port)
    plain = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        if family != socket.AF_UNIX:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if keepalive:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option in options:
                plain.setsockopt(*option)
            if interface:
                plain.bind((interface, interface_port))
        stream = _on_loop(plain, target, timeout) if on_loop() else _blocking(plain, target, timeout)
    except BaseException:
        plain.close()
        raise
    stream.timeout = timeout
    return stream


def _target(address: str, port: int) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    if address.startswith("/"):
        return socket.AF_UNIX, address
    return (socket.AF_INET6 if ":" in address else socket.AF_INET), (address, port)


def _blocking(plain: socket.socket, target: str | tuple[str, int], timeout: float | None) -> Stream:
    from eximious.net.blocking import SocketStream

    plain.settimeout(timeout or None)
    try:
        plain.connect(target)
    except TimeoutError:
        raise timed_out() from None
    return SocketStream(plain)


def _on_loop(plain: socket.socket, target: str | tuple[str, int], timeout: float | None) -> Stream:
    return wait(_connect(plain, target, timeout))


async def _connect(plain: socket.socket, target: str | tuple[str, int], timeout: float | None) -> Stream:
    import asyncio

    from eximious.net.loop import LoopStream

    loop = asyncio.get_running_loop()
    plain.setblocking(False)
    deadline = time.monotonic() + timeout if timeout else None
    try:
        plain.connect(target)
    except BlockingIOError:
        connected = loop.create_future()
        fd = plain.fileno()
        loop.add_writer(fd, _settle, connected)
        try:
            async with asyncio.timeout(deadline and deadline - time.monotonic()):
                await connected
        except TimeoutError:
            raise timed_out() from None
        finally:
            loop.remove_writer(fd)
        error = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise _os_error(error) from None
    stream = LoopStream()
    protocol = cast("asyncio.Protocol", stream)
    if plain.family == socket.AF_UNIX:
        await loop.create_unix_connection(lambda: protocol, sock=plain)
    else:
        await loop.create_connection(lambda: protocol, sock=plain)
    return stream


def _settle(connected: asyncio.Future[None]) -> None:
    if not connected.done():
        connected.set_result(None)


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))

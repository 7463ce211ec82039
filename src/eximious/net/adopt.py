"""A stream over a socket that somebody else has connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from eximious.net.stream import Stream
from eximious.waiting import on_loop, wait

if TYPE_CHECKING:
    import asyncio
    import socket


def adopt(plain: socket.socket, timeout: float | None = None) -> Stream:
    """The stream; it closes the socket. `timeout` is in seconds."""
    if on_loop():
        stream = wait(_adopt(plain))
    else:
        from eximious.net.blocking import SocketStream

        plain.setblocking(True)
        stream = SocketStream(plain)
    stream.timeout = timeout
    return stream


async def _adopt(plain: socket.socket) -> Stream:
    import asyncio
    import socket

    from eximious.net.loop import LoopStream

    loop = asyncio.get_running_loop()
    plain.setblocking(False)
    stream = LoopStream()
    protocol = cast("asyncio.Protocol", stream)
    if plain.family == socket.AF_UNIX:
        await loop.create_unix_connection(lambda: protocol, sock=plain)
    else:
        await loop.create_connection(lambda: protocol, sock=plain)
    return stream

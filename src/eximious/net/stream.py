"""A connection as policy sees it: plain calls that read and write bytes, with time limits and, in time, TLS.

`Stream` holds what all kinds share: the output that waits to be sent in one piece, the TLS layer, the time limit.
The kinds differ in how octets reach the other side: `eximious.net.blocking` (file descriptors, for one-shot processes),
`eximious.net.loop` (an event loop's transport, for the daemon), `eximious.net.memory` (none at all, for tests).

Every failure is an OSError with an errno: TimeoutError (ETIMEDOUT) when the time limit is over, ConnectionError and its
kinds when the peer is gone, `eximious.tls.errors.TlsError` when TLS fails.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from eximious.tls.context import ClientContext, ServerContext
    from eximious.tls.layer import TlsLayer
    from eximious.tls_session import TlsSession

READ_SIZE: Final = 65536  # bytes that one read gives at most, unless asked otherwise
INTERNAL_ERROR: Final = b"\x15\x03\x01\x00\x02\x02\x50"  # a fatal alert (RFC 8446 section 6.2)
WRITE_LIMIT: Final = 65536  # bytes of output that are collected before they are sent without being asked to


class Endpoint:
    """One end of a connection: an IP address and port, or a path (and port 0); "" where there is none."""

    __slots__ = ("address", "port")

    def __init__(self, address: str = "", port: int = 0) -> None:
        self.address = address
        self.port = port

    @classmethod
    def of(cls, name: object) -> Endpoint:
        """From what the `socket` module calls an address."""
        if isinstance(name, (tuple, list)) and len(name) >= 2:
            return cls(_plain(str(name[0])), int(name[1]))
        if isinstance(name, bytes):
            return cls(os.fsdecode(name))
        return cls(name if isinstance(name, str) else "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Endpoint) and (self.address, self.port) == (other.address, other.port)

    def __hash__(self) -> int:
        return hash((self.address, self.port))

    def __repr__(self) -> str:
        return f"Endpoint({self.address!r}, {self.port})"


def _plain(address: str) -> str:
    """Without IPv6's zone, and an IPv4-mapped address as IPv4: what lists and logs expect."""
    address = address.partition("%")[0]
    return address[7:] if address.startswith("::ffff:") and "." in address else address


def timed_out() -> TimeoutError:
    """The error of an operation whose time is over."""
    return TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def connection_reset() -> ConnectionResetError:
    """The error of an operation on a connection that is gone."""
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


class Stream:
    """A connection in both directions.

    `timeout` is in seconds and limits each single wait (for some input, or for room to send); None or 0 waits for ever.
    Output is collected: it goes out with `flush`, before a read has to wait, and when there is much of it.
    """

    __slots__ = ("_output", "_output_size", "_unread", "local", "peer", "timeout", "tls", "tls_complaints", "tls_layer")

    def __init__(self) -> None:
        self.timeout: float | None = None
        self.peer = Endpoint()
        self.local = Endpoint()
        self.tls: TlsSession | None = None  # what was agreed on, once TLS is in use
        self.tls_complaints: list[str] = []  # what was wrong with the peer's certificate, even if the handshake failed
        self.tls_layer: TlsLayer | None = None
        self._output: list[bytes] = []
        self._output_size = 0
        self._unread = b""  # octets that were given back

    # What kinds of stream provide.

    def _receive(self, size: int) -> bytes:
        """Some octets from the peer, waiting if need be; b"" at the end."""
        raise NotImplementedError

    def _send(self, data: bytes) -> None:
        """Give octets to the peer, waiting for room if need be."""
        raise NotImplementedError

    def _is_ready(self) -> bool:
        """True if `_receive` would not wait."""
        raise NotImplementedError

    def pause(self, seconds: float) -> None:
        """Wait so long, but no longer than the peer stays: when it closes the connection, the pause is over."""
        from eximious.waiting import sleep

        sleep(seconds)

    def _drop_received(self) -> None:
        """Forget octets that have arrived and were not asked for."""
        raise NotImplementedError

    def _shut(self, *, at_once: bool) -> None:
        """End the connection; `at_once` without delivering what may still be on its way."""
        raise NotImplementedError

    @property
    def socket(self) -> Any:
        """The connection's socket, for options; None if there is none, or if it is gone."""
        return None

    # What everybody uses.

    def read(self, size: int = READ_SIZE) -> bytes:
        """Up to `size` octets, as soon as there are some; b"" at the end of the input.

        With TLS, the end is the peer's close_notify, or the connection's end; nothing is ever read after either.
        """
        layer = self.tls_layer
        if layer is not None:
            return self._receive_tls(layer, size)
        self._flush_before_waiting()
        return self._incoming(size)

    def _flush_before_waiting(self) -> None:
        if self._output and not (self._unread or self._is_ready()):
            self.flush()

    def unread(self, data: bytes) -> None:
        """Give back octets that were read too far: they come again with the next read, or are the beginning of TLS."""
        assert self.tls_layer is None
        self._unread = data + self._unread

    def _incoming(self, size: int) -> bytes:
        """What comes next from the peer, before TLS."""
        if self._unread:
            data, self._unread = self._unread[:size], self._unread[size:]
            return data
        return self._receive(size)

    def _receive_tls(self, layer: TlsLayer, size: int) -> bytes:
        while True:
            data = layer.read(size)
            if data or layer.is_closed:
                return data
            # What has arrived may be no plaintext (TLS 1.3 has much to say): so each time round.
            self._flush_before_waiting()
            incoming = self._incoming(READ_SIZE)
            if not incoming:
                layer.end_of_input()
                return b""
            layer.feed(incoming)
            answer = layer.take_output()
            if answer:
                self._send(answer)

    def write(self, data: bytes) -> None:
        """Send octets, soon."""
        self._output.append(data)
        self._output_size += len(data)
        if self._output_size >= WRITE_LIMIT:
            self.flush()

    def flush(self) -> None:
        """Send now what `write` has collected."""
        output = self._output
        if not output:
            return
        data = output[0] if len(output) == 1 else b"".join(output)
        output.clear()
        self._output_size = 0
        layer = self.tls_layer
        if layer is not None:
            layer.write(data)
            data = layer.take_output()
        self._send(data)

    def has_input(self) -> bool:
        """True if a read would not wait: octets are there, or the end is. Never waits itself."""
        layer = self.tls_layer
        if layer is None:
            return bool(self._unread) or self._is_ready()
        while not (layer.has_input() or layer.is_closed):
            if not (self._unread or self._is_ready()):
                return False
            incoming = self._incoming(READ_SIZE)
            if not incoming:
                layer.end_of_input()
                break
            layer.feed(incoming)
        return True

    def start_tls_server(
        self, context: ServerContext | Callable[[str], ServerContext], *, on_connect: bool = False
    ) -> TlsSession:
        """Shake hands as the server. Raises TlsError.

        What has arrived before our last words went out is thrown away (CVE-2011-0411): say them with `write`, not
        `flush`. Unless TLS begins with the connection, where it is the beginning of the handshake.
        If the context depends on the name that the client asks for, give a function that chooses it; it may wait.
        """
        if not on_connect:
            self._forget_received()
        self.flush()
        if not callable(context):
            return self._start_tls(context.layer())
        from eximious.tls.client_hello import server_name

        hello = b""
        while (name := server_name(hello)) is None:
            incoming = self._incoming(READ_SIZE)
            if not incoming:
                raise context("").layer().cut_off()
            hello += incoming
        try:
            layer = context(name).layer()
        except OSError:
            with suppress(OSError):
                self._send(INTERNAL_ERROR)
            raise
        layer.feed(hello)
        return self._start_tls(layer)

    def start_tls_client(self, context: ClientContext, name: str = "") -> TlsSession:
        """Shake hands as the client, asking for the server `name`; plaintext that arrived before is thrown away
        (CVE-2021-38371). Raises TlsError."""
        self._forget_received()
        self.flush()
        return self._start_tls(context.layer(name))

    def _forget_received(self) -> None:
        self._unread = b""
        self._drop_received()

    def _start_tls(self, layer: TlsLayer) -> TlsSession:
        self.tls_complaints = layer.record.complaints
        try:
            while not layer.shake_hands():
                self._send_pending(layer)
                incoming = self._incoming(READ_SIZE)
                if not incoming:
                    raise layer.cut_off()
                layer.feed(incoming)
        except OSError:
            # The alert that says why, if there is anybody to tell.
            with suppress(OSError):
                self._send_pending(layer)
            raise
        self._send_pending(layer)
        self.tls_layer = layer
        self.tls = layer.session()
        return self.tls

    def _send_pending(self, layer: TlsLayer) -> None:
        data = layer.take_output()
        if data:
            self._send(data)

    def stop_tls(self) -> None:
        """Say close_notify and go on in the clear, if the peer does so too. What was encrypted before stays so."""
        layer = self.tls_layer
        if layer is not None:
            self.flush()
            layer.close()
            self._send_pending(layer)
            self.tls_layer = None

    def close(self) -> None:
        """Send what waits, say close_notify if TLS is in use, end the connection. Does nothing the second time.

        Errors are swallowed: there is nobody left to tell.
        """
        try:
            self.flush()
            layer = self.tls_layer
            if layer is not None:
                layer.close()
                self._send_pending(layer)
        except OSError:
            pass
        self._output.clear()
        self._shut(at_once=False)

    def abort(self) -> None:
        """End the connection at once; what waits to be sent is thrown away."""
        self._output.clear()
        self._output_size = 0
        self._shut(at_once=True)

    def leave(self) -> None:
        """Let go of a connection that another process goes on with, after a fork: nothing is sent."""
        self._output.clear()
        self._output_size = 0
        self.tls_layer = None
        self._shut(at_once=False)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

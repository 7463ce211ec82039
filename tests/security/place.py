"""A server that lets everybody in and offers what was attacked elsewhere, and clients that misbehave."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from pathlib import Path

from eximious.context import Context
from eximious.net.memory import MemoryStream
from eximious.net.stream import Endpoint, timed_out
from eximious.receive.session import Session
from eximious.tls.context import ClientContext
from eximious.tls.layer import TlsLayer
from tests.receive.place import CLIENT, Server

OPEN = "acl_smtp_rcpt = accept\nacl_smtp_mail = accept\nchunking_advertise_hosts = *\n"
EHLO = b"EHLO c.test\r\n"
ENVELOPE = (EHLO, b"MAIL FROM:<a@b.test>\r\n", b"RCPT TO:<c@d.test>\r\n")
FAREWELL = "221 mail.test closing connection\r\n"

Packets = bytes | tuple[bytes, ...]
Says = Generator[Packets, bytes, None]
Asks = Generator[Packets, bytes, bytes]


def server(folder: Path, text: str = "", zone: str = "") -> Server:
    """A server with these options besides, or instead."""
    own = {line.split(" =")[0] for line in text.split("\n")}
    others = "".join(f"{line}\n" for line in OPEN.splitlines() if line.split(" =")[0] not in own)
    return Server(folder, others + text, zone=zone)


_shared: dict[str, Server] = {}


def shared_server(text: str = "") -> Server:
    """One server for all examples of a property, its queue and logs empty."""
    if text not in _shared:
        with tempfile.TemporaryDirectory() as folder:
            _shared[text] = server(Path(folder), text)
    there = _shared[text]
    there.queue.messages.clear()
    there.logs.lines.clear()
    return there


class Puppet(MemoryStream):
    """A connection whose client is a generator: each time the server waits, it is given what the server has said since,
    and yields what it sends: a packet, or several that are there at once. It ends the connection by returning; if both
    sides wait, the time limit is over."""

    def __init__(self, client: Says) -> None:
        super().__init__(peer=Endpoint(CLIENT, 40000), local=Endpoint("192.0.2.1", 25))
        self._client = client
        self._heard = 0
        self._has_begun = False

    def _receive(self, size: int) -> bytes:
        if not self._is_ready():
            try:
                packets = self._client.send(self._news()) if self._has_begun else next(self._client)
            except StopIteration:
                return b""
            self._has_begun = True
            for packet in packets if isinstance(packets, tuple) else (packets,):
                if packet:
                    self.give(packet)
            if not self._is_ready():
                raise timed_out()
        return super()._receive(size)

    def _news(self) -> bytes:
        news = self.sent[self._heard :]
        self._heard = len(self.sent)
        return news


class Client:
    """What a generator needs to speak SMTP, in the clear or not; `replies` is all that was said in answer."""

    def __init__(self, name: str = "mail.test") -> None:
        self.name = name  # of the server, for TLS
        self.layer: TlsLayer | None = None
        self.replies: list[str] = []
        self._unsent = b""

    def ask(self, *records: bytes) -> Asks:
        """Send octets, each piece a TLS record of its own, in one packet; gives the answer."""
        return (yield from self._hear(self.seal(*records)))

    def seal(self, *records: bytes) -> bytes:
        """The octets as they travel."""
        if self.layer is None:
            return b"".join(records)
        for record in records:
            self.layer.write(record)
        octets, self._unsent = self._unsent + self.layer.take_output(), b""
        return octets

    def send(self, octets: bytes) -> Asks:
        """Send octets as they are."""
        return (yield from self._hear(octets))

    def _hear(self, octets: bytes) -> Asks:
        answer = yield octets
        if self.layer is not None:
            self.layer.feed(answer)
            answer = b""
            while self.layer.has_input() and (more := self.layer.read(65536)):
                answer += more
        self.replies.append(answer.decode("latin-1"))
        return answer

    def start_tls(self, with_it: bytes = b"", *, is_later: bool = False) -> Asks:
        """STARTTLS, and the handshake; `with_it` travels in the clear with the command, or in a packet behind it."""
        answer = yield (b"STARTTLS\r\n", with_it) if is_later else b"STARTTLS\r\n" + with_it
        layer = ClientContext().layer(self.name)
        while not layer.shake_hands():
            layer.feed((yield layer.take_output()))
        self._unsent = layer.take_output()
        self.layer = layer
        return answer

    def close_notify(self) -> bytes:
        """The octets that end TLS, but not the connection."""
        assert self.layer is not None
        self.layer.close()
        return self._unsent + self.layer.take_output()


def hold(there: Server, client: Says) -> Session:
    """A whole session with such a client."""
    session = Session(Puppet(client), Context(there.config, there.services))
    session.run()
    return session

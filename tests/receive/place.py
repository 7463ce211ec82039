"""A server that exists only in memory: sessions over streams without a network, logs in a list, a queue in a dict."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eximious.config.configuration import Configuration
from eximious.config.load import load
from eximious.context import Context
from eximious.dns.static import StaticResolver
from eximious.hints.memory import MemoryHints
from eximious.logs.destination import Destinations
from eximious.logs.log import Logs
from eximious.net.memory import MemoryStream
from eximious.net.stream import Endpoint
from eximious.receive.session import Session
from eximious.receive.submitter import Submitter
from eximious.services import Services
from eximious.spool.body import Body
from eximious.spool.message import DELETED, Message

MAIN = """
primary_hostname = mail.test
qualify_domain = test.ex
smtp_banner = mail.test ESMTP
tls_advertise_hosts =
chunking_advertise_hosts =
limits_advertise_hosts =
keep_environment =
disable_ipv6
smtputf8_advertise_hosts =
hosts_require_helo =
"""
NOW = 1795521600.0  # 2026-11-24 12:00:00 UTC
CLIENT = "192.0.2.7"
GREETING = "S: 220 mail.test ESMTP"


class KeptLogs(Logs):
    """Log entries in a list, as ``main reject: text``."""

    def __init__(self, config: Configuration) -> None:
        model = Logs.from_config(config)
        super().__init__(Destinations(None, False), model.selected)
        self.lines: list[str] = []

    def write(self, logs: Iterable[str], text: str, message_id: str = "", details: str = "") -> None:
        """Keep an entry."""
        self.lines.append(f"{' '.join(logs)}: {text}")


class Queue:
    """The part of `QueueStore` that receives; what was accepted is in `messages`."""

    def __init__(self) -> None:
        self.messages: list[tuple[Message, bytes]] = []
        self.failure: Exception | None = None

    def new_body(self, queue_name: str = "") -> Body:
        """Where the text goes that comes in."""
        return Body()

    def accept(self, message: Message, body: Body) -> None:
        """Keep the message."""
        if self.failure is not None:
            raise self.failure
        self.messages.append((message, body.data()))

    def log(self, message: Message, line: str) -> None:
        """The message's own log: nowhere."""


class Deliveries:
    """Notes what is to be delivered at once."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def start(self, message_id: str, queue_name: str = "", *, no_remote: bool = False) -> None:
        """Note one."""
        self.started.append(message_id)


class Conversation(MemoryStream):
    """A stream that writes down what was said, in order: ``C: ...`` and ``S: ...``. A client that waits for answers:
    its next piece is there only when it is asked for."""

    def __init__(self, *pieces: bytes, peer: Endpoint, is_hasty: bool = False) -> None:
        super().__init__(*pieces, peer=peer, local=Endpoint("192.0.2.1", 25))
        self.is_hasty = is_hasty  # does not wait for answers
        self.is_kept = True  # `lines` are
        self.lines: list[str] = []

    def _receive(self, size: int) -> bytes:
        piece = super()._receive(size)
        if self.is_kept:
            self.lines += [f"C: {line}" for line in text_lines(piece)]
        return piece

    def _send(self, data: bytes) -> None:
        super()._send(data)
        self.lines += [f"S: {line}" for line in text_lines(data)]

    def _is_ready(self) -> bool:
        return self.is_hasty and super()._is_ready()


def text_lines(data: bytes) -> list[str]:
    """The lines in octets, without their ends."""
    lines = data.decode("latin-1").split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def defaults(text: str) -> str:
    """The lines of `MAIN` that a configuration does not have itself."""
    own = {line.split("=")[0].strip() for line in text.split("\n")}
    return "".join(f"{line}\n" for line in MAIN.split("\n") if line.split("=")[0].strip() not in own)


class Server:
    """A configuration, and what there is around it."""

    def __init__(self, folder: Path, text: str = "", *, zone: str = "") -> None:
        path = folder / "exim.conf"
        path.write_text(f"spool_directory = {folder}\n{defaults(text)}{text}", encoding="latin-1")
        self.config: Configuration = load(str(path))
        self.logs = KeptLogs(self.config)
        self.queue = Queue()
        self.deliveries = Deliveries()
        self.time = NOW
        services = self.services = Services(self.config)
        services.random = random.Random(1)
        services.deliveries = self.deliveries
        services.localhost_number = None
        services.server_user = Submitter("mail", "Mail", 8, 8, address="mail@test.ex")
        services.__dict__.update(
            logs=self.logs,
            dns=StaticResolver(zone),
            hints=MemoryHints(self._now),
            spool=self.queue,
            now=self._now,
        )

    def _now(self) -> float:
        return self.time

    def session(self, *pieces: bytes, address: str = CLIENT, is_hasty: bool = False, **options: Any) -> Session:
        """A session that gets these pieces of input, one a read."""
        stream = Conversation(*pieces, peer=Endpoint(address, 40000), is_hasty=is_hasty)
        return Session(stream, Context(self.config, self.services), **options)

    def talk(self, *pieces: bytes, address: str = CLIENT, is_hasty: bool = False, is_kept: bool = True) -> str:
        """All that the server says to a client that sends these pieces."""
        session = self.session(*pieces, address=address, is_hasty=is_hasty)
        stream = session.stream
        assert isinstance(stream, Conversation)
        stream.is_kept = is_kept
        session.run()
        return stream.sent.decode("latin-1")

    def transcript(self, *pieces: bytes, address: str = CLIENT, is_hasty: bool = False) -> list[str]:
        """The conversation with such a client, the greeting left out."""
        session = self.session(*pieces, address=address, is_hasty=is_hasty)
        session.run()
        stream = session.stream
        assert isinstance(stream, Conversation)
        lines = stream.lines
        if lines[:1] == [GREETING]:
            del lines[0]
        return lines


def headers_of(message: Message) -> str:
    """The headers that are not deleted, as they stand in the spool."""
    return "".join(header.text for header in message.headers if header.kind != DELETED)

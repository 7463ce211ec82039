"""A connection to another host: commands go out, replies come in, with their time limits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from eximious.send.failure import Failure, lost, malformed
from eximious.smtp.client import ClientProtocol
from eximious.smtp.features import Features
from eximious.smtp.reply import MalformedReply, Reply
from eximious.transports.outcome import Sent

if TYPE_CHECKING:
    from eximious.address.delivery import Host
    from eximious.net.stream import Stream
    from eximious.send.dialogue import Dialogue
    from eximious.tls_session import TlsSession
    from eximious.transports.smtp import Smtp

PIPELINED: Final = "pipelined "
GOODBYE: Final = 0.5  # seconds to wait for the answer to QUIT
REPLY_LIMIT: Final = 4096  # octets; a host that says more at once is not to be trusted with mail


class Limits(NamedTuple):
    """How much a host takes (RFC 9422); 0 is no limit."""

    messages: int = 0  # over one connection
    recipients: int = 0  # in one transaction
    domains: int = 0  # of the recipients of one transaction


NO_LIMITS: Final = Limits()


class Connection:
    """One connection to one host, from its banner to QUIT; it may carry several messages."""

    def __init__(self, stream: Stream, host: Host, transport: Smtp, protocol_name: str) -> None:
        self.stream = stream
        self.host = host
        self.transport = transport
        self.is_lmtp = protocol_name == "lmtp"
        self.protocol = ClientProtocol()
        self.features = Features()
        self.is_esmtp = False
        self.uses_pipelining = False
        self.message_id = ""  # of the message that it carries, or has carried last
        self.messages = 0  # that have been sent over it
        self.sent = Sent()  # what is logged about it
        self.sent.interface = stream.local.address
        self.sent.interface_port = stream.local.port
        self.identity: tuple[str, ...] = ()  # as whom, and from where, it was made; see `eximious.send.pool`
        self.hello = ""  # the name that we gave
        self.is_authenticated = False
        self.idle_since = 0.0
        self.is_broken = False
        self.said_quit = False  # with the end of a message, as nothing was to follow
        self.needs_reset = False  # the last transaction was given up before its text
        self.written = 0  # octets of the message that is being sent
        self.dialogue: Dialogue | None = None  # shown what is said, for -v

    @property
    def tls(self) -> TlsSession | None:
        """What was agreed on, once TLS is in use ($tls_out_...)."""
        return self.stream.tls

    @property
    def limits(self) -> Limits:
        """What the host has announced; without TLS, which anybody may have written, only where TLS is not offered."""
        if self.tls is None and "STARTTLS" in self.features:
            return NO_LIMITS
        features = self.features
        return Limits(features.limit("MAILMAX"), features.limit("RCPTMAX"), features.limit("RCPTDOMAINMAX"))

    # --- dialogue ---------------------------------------------------------------------------------------------------

    def send(self, line: str) -> None:
        """Send a command, soon."""
        self.stream.write(self.protocol.command(line))
        if self.dialogue is not None:
            self.dialogue.command(line)

    def ask(self, line: str, timeout: float) -> Reply:
        """Send a command and wait for its reply. Raises Failure."""
        self.send(line)
        return self.reply(line, timeout)

    def banner(self, timeout: float) -> Reply:
        """The first words of the host. Raises Failure."""
        self.protocol.expect("initial connection")
        return self.reply("initial connection", timeout)

    def reply(self, what: str, timeout: float, *, pipelined: bool = False) -> Reply:
        """The next reply; `what` says what it answers, for messages. Raises Failure."""
        shown = PIPELINED + what if pipelined else what
        self.stream.timeout = timeout or None
        try:
            while True:
                answered = self.protocol.next_reply()
                if answered is not None:
                    if self.dialogue is not None:
                        self.dialogue.reply(answered[1])
                    return self._of_bearable_size(answered[1], shown)
                data = self.stream.read()
                if not data:
                    raise self._broken(lost(shown, None))
                self.protocol.receive(data)
        except MalformedReply as error:
            raise self._broken(malformed(shown, error.received)) from None
        except OSError as error:
            raise self._broken(lost(shown, error, written=self.written)) from error

    def _of_bearable_size(self, reply: Reply, what: str) -> Reply:
        if len(str(reply)) >= REPLY_LIMIT:  # longer lines come cut to this
            raise self._broken(malformed(what, str(reply).encode("latin-1")[: REPLY_LIMIT - 3]))
        return reply

    def write(self, data: bytes, what: str, timeout: float) -> None:
        """Send octets of a message. Raises Failure."""
        self.stream.timeout = timeout or None
        try:
            self.stream.write(data)
        except OSError as error:
            raise self._broken(lost(what, error, written=self.written)) from error
        self.written += len(data)

    def flush(self, what: str, timeout: float) -> None:
        """Send what has been collected. Raises Failure."""
        self.stream.timeout = timeout or None
        try:
            self.stream.flush()
        except OSError as error:
            raise self._broken(lost(what, error, written=self.written)) from error

    def _broken(self, failure: Failure) -> Failure:
        self.is_broken = True
        return failure

    def announce_quit(self) -> None:
        """Say QUIT behind a message that is being sent, which saves a round trip."""
        self.send("QUIT")
        self.said_quit = True

    # --- the end ----------------------------------------------------------------------------------------------------

    def quit(self) -> None:
        """Say goodbye and end the connection. The answer does not matter, and is not waited for long."""
        if not self.is_broken:
            self.stream.timeout = GOODBYE
            try:
                if not self.said_quit and not self.protocol.waiting:
                    self.send("QUIT")
                    self.stream.flush()
                self.stream.read()  # a connection that is closed before its last words have come looks broken
            except OSError:
                self.is_broken = True
        self.close()

    def close(self) -> None:
        """End the connection."""
        self.is_broken = True
        self.stream.close()
        if self.dialogue is not None:
            self.dialogue.closed()
            self.dialogue = None

    def is_usable(self) -> bool:
        """False if the host has ended the connection, or said something that nobody asked for."""
        if self.is_broken:
            return False
        try:
            if self.stream.has_input():
                return False
        except OSError:
            return False
        return not self.protocol.waiting

    def rest(self) -> None:
        """It is idle from now on."""
        self.idle_since = time.monotonic()

"""One delivery by the lmtp transport: the server, the dialogue with it, and a verdict for each recipient."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

from eximious.logs.printing import printing
from eximious.net.adopt import adopt
from eximious.retry.errors import reply_number
from eximious.smtp.client import ClientProtocol
from eximious.smtp.features import Features
from eximious.smtp.reply import MalformedReply, Reply
from eximious.smtp.sending import TextSender
from eximious.transports.argv import BadCommand, TaintedArgument, expanded
from eximious.transports.base import expand
from eximious.transports.content import HeaderChangeFailed, recipient
from eximious.transports.filtering import PASS_UNCHANGED, message_content
from eximious.transports.job import CONNECT, SPAWN, Content, Ended, Job
from eximious.transports.outcome import (
    DATA_4XX,
    DELIVERED,
    FAILED,
    HEADER_CHANGE_FAILED,
    MAIL_4XX,
    RCPT_4XX,
    UNKNOWN,
    Outcome,
    Unable,
    deferred,
    delivered,
    failed,
)

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.net.stream import Stream
    from eximious.transports.base import Batch
    from eximious.transports.lmtp import Lmtp


class Dialogue:
    """Speaking LMTP (RFC 2033) to a server on this machine."""

    def __init__(self, transport: Lmtp, batch: Batch, context: Context) -> None:
        self.transport = transport
        self.batch = batch
        self.context = context
        self.protocol = ClientProtocol()
        self.stream: Stream | None = None
        self.outcomes: list[Outcome | None] = [None] * len(batch.addresses)

    def run(self) -> list[Outcome]:
        """Deliver. Raises Unable for what concerns all recipients."""
        self.stream = self._open()
        with self.stream:
            self._talk()
        return [outcome or deferred("no answer for this recipient") for outcome in self.outcomes]

    # --- the server -------------------------------------------------------------------------------------------------

    def _open(self) -> Stream:
        transport = self.transport
        what = f"{transport.name} transport"
        if transport.socket is not None:
            path = expand(transport, "socket", self.context)
            arguments: dict[str, Any] = {"path": path, "timeout": transport.timeout, "what": what}
            ended = self._job(CONNECT, arguments)
        else:
            try:
                argv = expanded(transport.command or "", self.context, self.batch.addresses, what)
            except TaintedArgument as error:
                raise Unable(failed(str(error), 0)) from error
            except BadCommand as error:
                raise Unable(deferred(str(error), 0)) from error
            ended = self._job(SPAWN, {"argv": argv, "environment": {}, "what": what})
        if ended.status != DELIVERED or ended.descriptor is None:
            # Exim does not say again in words why a socket cannot be reached: the message has it.
            raise Unable(deferred(ended.message, UNKNOWN if transport.socket is not None else ended.errno))
        return adopt(socket.socket(fileno=ended.descriptor), transport.timeout or None)

    def _job(self, kind: str, arguments: dict[str, Any]) -> Ended:
        assert self.batch.identity is not None
        job = Job(kind, self.batch.identity, arguments, directory=self.batch.directory)
        ended: Ended = self.context.services.local.run(job)
        return ended

    def _content(self) -> Content:
        try:
            return message_content(self.transport, self.batch, self.context, PASS_UNCHANGED)
        except HeaderChangeFailed as error:
            raise Unable(deferred(str(error), HEADER_CHANGE_FAILED)) from error

    # --- the dialogue -----------------------------------------------------------------------------------------------

    def _talk(self) -> None:
        self.protocol.expect("initial connection")
        self._need("initial connection", UNKNOWN)
        name = self.context.config.main.primary_hostname
        features = Features(self._ask(f"LHLO {name}", UNKNOWN))
        ignores = self.transport.ignore_quota and "IGNOREQUOTA" in features
        self._ask(f"MAIL FROM:<{self.batch.used_return_path}>", MAIL_4XX)
        accepted = []
        for number, address in enumerate(self.batch.addresses):
            line = f"RCPT TO:<{recipient(address, self.transport.rcpt_include_affixes)}>"
            reply = self._reply(line, f"{line} IGNOREQUOTA" if ignores else line)
            if reply.is_positive:
                accepted.append(number)
            else:
                self.outcomes[number] = self._refused(line, reply, RCPT_4XX)
        if accepted:
            self._send()
            for position, number in enumerate(accepted):
                if position:
                    self.protocol.expect("end of data")
                self._judge(number)
        self._say("QUIT")

    def _send(self) -> None:
        reply = self._reply("DATA", "DATA")
        if not reply.is_intermediate:
            raise self._give_up(self._refused("DATA", reply, DATA_4XX))
        content = self._content()
        sender = TextSender()
        try:
            assert self.stream is not None
            for piece in content.pieces():
                self.stream.write(sender.send(piece))
            self.stream.write(sender.finish())
            self.stream.flush()
        except OSError as error:
            raise Unable(self._lost("sending data block", error)) from error
        finally:
            if content.descriptor is not None:
                os.close(content.descriptor)
        self.protocol.expect("end of data")

    def _judge(self, number: int) -> None:
        reply = self._reply("end of data", "")
        if not reply.is_positive:
            self.outcomes[number] = self._refused("end of data", reply, DATA_4XX)
            return
        outcome = self.outcomes[number] = delivered()
        outcome.confirmation = str(reply)

    def _say(self, line: str) -> None:
        try:
            assert self.stream is not None
            self.stream.write(self.protocol.command(line))
            self.stream.flush()
        except OSError as error:
            raise Unable(self._lost(line, error)) from error

    def _ask(self, line: str, number: int) -> Reply:
        """Send a command that must succeed."""
        self._say(line)
        return self._need(line, number)

    def _need(self, what: str, number: int) -> Reply:
        reply = self._reply(what, "")
        if not reply.is_positive:
            raise self._give_up(self._refused(what, reply, number))
        return reply

    def _give_up(self, outcome: Outcome) -> Unable:
        """The server does not take the message: say goodbye."""
        with contextlib.suppress(Unable):  # it may have gone already
            self._say("QUIT")
        return Unable(outcome)

    def _reply(self, what: str, line: str) -> Reply:
        """The next reply, after sending a line if there is one."""
        if line:
            self._say(line)
        assert self.stream is not None
        try:
            while True:
                answered = self.protocol.next_reply()
                if answered is not None:
                    return answered[1]
                data = self.stream.read()
                if not data:
                    raise Unable(self._lost(what, None))
                self.protocol.receive(data)
        except MalformedReply as error:
            text = printing(error.received.rstrip(b"\r\n").decode("latin-1"))
            raise Unable(deferred(f"Malformed LMTP reply in response to {what}: {text}")) from None
        except OSError as error:
            raise Unable(self._lost(what, error)) from error

    def _lost(self, what: str, error: OSError | None) -> Outcome:
        if isinstance(error, TimeoutError):
            return deferred(f"LMTP timeout after {what}")
        return deferred(f"LMTP connection closed after {what}")

    def _refused(self, what: str, reply: Reply, number: int) -> Outcome:
        text = f"LMTP error after {what}: {printing(str(reply))}"
        if reply.is_permanent:
            outcome = Outcome(FAILED, text, 0)
        else:
            more = reply_number(f"{reply.code}") if number != UNKNOWN else 0
            outcome = deferred(text, number, more)
        outcome.user_message = text
        return outcome

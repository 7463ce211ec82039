"""SMTP in a batch: ``exim -bS``. Nobody is answered; the first error ends it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from eximious.acl import engine, where
from eximious.acl.settings import Reception
from eximious.address.parse import AddressError
from eximious.receive import queueing
from eximious.receive.acceptance import accept, give_id
from eximious.receive.arrival_log import log_refusal
from eximious.receive.envelope import EnvelopeRules, read_address
from eximious.receive.incoming import ACCEPTED, Incoming
from eximious.receive.limits import expanded_integer, message_size_limit
from eximious.receive.parameters import split
from eximious.smtp.data import DataReader
from eximious.smtp.server import Fault, Refusal, ServerProtocol, Stage
from eximious.spool.errors import SpoolError
from eximious.spool.message import Message, Recipient
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.net.stream import Stream
    from eximious.receive.submitter import Submitter
    from eximious.smtp.command import Command

SUCCESS: Final = 0
SOME: Final = 1  # some messages were accepted before the error
NONE: Final = 2
UNRECOGNISED: Final = "Command unrecognized"
KNOWN: Final = frozenset({"SIZE", "BODY", "AUTH", "RET", "ENVID", "NOTIFY", "ORCPT", "PRDR", "SMTPUTF8"})
IGNORED: Final = frozenset({"VRFY", "EXPN", "ETRN", "HELP", "NOOP", "AUTH", "STARTTLS", "BDAT"})


class BatchError(Exception):
    """Something that ends the batch; the text is an SMTP reply."""


class Batch:
    """One batch from one stream."""

    def __init__(self, context: Context, submitter: Submitter, stream: Stream, received_protocol: str) -> None:
        self.context = context
        self.submitter = submitter
        self.received_protocol = received_protocol
        self.stream = stream
        self.protocol = ServerProtocol()
        self.rules = EnvelopeRules(context.config.main)
        self.accepted = 0
        self.line = 0  # the number of the present line, from 1
        self.start_line = 0  # after which the transaction began
        self.text = ""  # the present command
        self.protocol.stage = Stage.READY

    def run(self) -> int:
        """Take in all messages; gives the exit status."""
        try:
            while self._one_command():
                pass
        except BatchError as error:
            return self._moan(str(error))
        return SUCCESS

    def _one_command(self) -> bool:
        """Obey the next command; False at the end of the batch."""
        protocol = self.protocol
        while (found := protocol.next_command()) is None:
            data = self.stream.read()
            if not data:
                return False
            protocol.receive(data)
        self.line += 1
        if isinstance(found, Refusal):
            self.text = found.line
            raise BatchError(f"{found.code} {UNRECOGNISED if found.fault is Fault.UNKNOWN else found.text}")
        self.text = found.line
        if found.verb == "QUIT":
            return False
        if found.verb not in IGNORED:
            self._obey(found)
        return True

    def _obey(self, command: Command) -> None:
        verb = command.verb
        if verb == "MAIL":
            self._mail(command)
        elif verb == "RCPT":
            self._rcpt(command)
        elif verb == "DATA":
            self._data()
        else:
            if verb in ("HELO", "EHLO"):
                self.context.client.helo_name = Tainted(command.argument.strip())
            self._reset()
            self.start_line = self.line

    def _reset(self) -> None:
        self.context.message = Message(self.context.client)
        self.context.reception = None
        self.protocol.reset()

    def _mail(self, command: Command) -> None:
        self._reset()
        context = self.context
        message = context.message
        text, _ = split(command.argument, KNOWN)
        address = self._address(text, self.rules.sender, context.config.main.qualify_domain)
        submitter = self.submitter
        message.sender = Tainted(address) if submitter.is_trusted else submitter.address
        message.sender_is_local = message.sender == submitter.address
        message.allow_unqualified_sender = message.allow_unqualified_recipient = True
        message.received_protocol = self.received_protocol
        message.login = submitter.login
        message.originator_uid, message.originator_gid = submitter.uid, submitter.gid
        self.protocol.succeeded(command)

    def _rcpt(self, command: Command) -> None:
        context = self.context
        text, _ = split(command.argument, KNOWN)
        address = self._address(text, self.rules.recipient, context.config.main.qualify_recipient)
        limit = expanded_integer(context.config.main.recipients_max, context)
        if 0 < limit <= len(context.message.recipients):
            raise BatchError("552 too many recipients")
        context.message.recipients.append(Recipient(Tainted(address)))
        self.protocol.succeeded(command)

    def _address(self, text: str, address_rules: object, domain: str) -> str:
        if self.context.config.rewrite_rules:
            from eximious.rewrite.engine import rewrite_smtp

            text = rewrite_smtp(text, self.context)
        try:
            address, has_domain = read_address(text, address_rules)  # type: ignore[arg-type]
        except AddressError as error:
            raise BatchError(f"501 {error}") from error
        return f"{address}@{domain}" if address and not has_domain else address

    def _data(self) -> None:
        context = self.context
        main = context.config.main
        context.reception = reception = Reception()
        if main.acl_not_smtp_start is not None:
            engine.check(main.acl_not_smtp_start, where.NOT_SMTP_START, context)
        give_id(context)
        body = context.services.spool.new_body(context.message.queue_name)
        reader = self.protocol.begin_data(main.header_maxsize, main.header_line_maxsize)
        incoming = Incoming(
            context, reception, reader, body, self.submitter, is_local=True, is_smtp=False, is_batch=True
        )
        incoming.size_limit = message_size_limit(context)
        try:
            self._read(reader, incoming)
            self.protocol.end_data(reader)
            self._accept(incoming)
        finally:
            incoming.close()
        self._reset()
        self.start_line = self.line

    def _read(self, reader: DataReader, incoming: Incoming) -> None:
        while True:
            try:
                incoming.body.append(reader.take())
            except SpoolError as error:
                raise BatchError("451 Error while writing spool file") from error
            if reader.is_complete:
                break
            data = self.stream.read()
            if not data:
                self._count(reader)
                caller = self.context.client.ident
                text = f"SMTP connection from {caller} lost while reading message data"
                self.context.services.logs.main(text, self.context.message.id)
                raise BatchError("421 Lost incoming connection")
            reader.feed(data)
        self._count(reader)
        if reader.too_long:
            raise BatchError("552 Message header is ridiculously long")

    def _count(self, reader: DataReader) -> None:
        self.line += sum(header.count(b"\n") for header in reader.headers or ()) + 1 + reader.body_lines + 1

    def _accept(self, incoming: Incoming) -> None:
        outcome = accept(incoming)
        if outcome.status != ACCEPTED:
            log_refusal(incoming, outcome)
            if outcome.verdict is not None:
                why = outcome.verdict.user_message or "Administrative prohibition"
                raise BatchError(f"550 {why}")
            raise BatchError(f"{outcome.code} {outcome.reply}")
        self.accepted += 1
        if incoming.context.message.recipients:
            queueing.start_delivery(incoming)

    def _moan(self, text: str) -> int:
        """Say what was wrong: on standard output for programs, on standard error for people."""
        print(f"{text}\nTransaction started in line {self.start_line}\nError detected in line {self.line}")
        if self.text:
            print(self.text)
        sys.stdout.flush()
        lines = [
            "An error was detected while processing a file of BSMTP input.\n",
            f"The error message was:\n\n  {text}\n\n",
            f"The SMTP transaction started in line {self.start_line}.\n",
            f"The error was detected in line {self.line}.\n",
        ]
        if self.text:
            lines.append(f"The SMTP command at fault was:\n\n   {self.text}\n\n")
        count = self.accepted
        message = "message was" if count == 1 else "messages were"
        lines.append(f"{count} previous {message} successfully processed.\nThe rest of the batch was abandoned.\n")
        sys.stderr.write("".join(lines))
        return SOME if count else NONE


def receive_batch(context: Context, submitter: Submitter, received_protocol: str = "local-bsmtp") -> int:
    """Take in a batch from standard input; gives the exit status."""
    from eximious.net.blocking import BlockingStream

    context.client.connection_id = context.client.connection_id or str(os.getpid())
    return Batch(context, submitter, BlockingStream(0, 1), received_protocol).run()

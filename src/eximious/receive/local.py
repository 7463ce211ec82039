"""Messages that are handed over on standard input: ``exim recipient ...``, ``exim -t``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from eximious.acl import engine, where
from eximious.acl.settings import Reception
from eximious.address.header_list import parse_list
from eximious.errors import ExpandError
from eximious.octets import SPACE
from eximious.receive import from_line, queueing
from eximious.receive.acceptance import accept, give_id
from eximious.receive.arrival_log import log_refusal
from eximious.receive.complaint import Complaint, Kind
from eximious.receive.envelope import rules
from eximious.receive.errors_to_sender import report
from eximious.receive.incoming import ACCEPTED, Incoming, Outcome
from eximious.receive.limits import expanded_integer, has_space, message_size_limit
from eximious.smtp.data import PlainReader
from eximious.spool.errors import SpoolError
from eximious.spool.message import Recipient
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.net.stream import Stream
    from eximious.receive.submitter import Submitter

SUCCESS: Final = 0
FAILURE: Final = 1


class Request:
    """What the command line says of the message."""

    __slots__ = (
        "bounced_id",
        "complain",
        "dot_ends",
        "error_reports",
        "is_local_error",
        "recipients",
        "recipients_from_header",
        "reference",
        "sender",
        "suppresses_fixups",
        "timeout",
    )

    def __init__(self) -> None:
        self.complain: Callable[[str], object] = sys.stderr.write
        self.recipients: list[str] = []  # the arguments: addresses, or lists of them
        self.recipients_from_header = False  # -t
        self.dot_ends = True  # not -i
        self.sender: str | None = None  # -f, checked and qualified; None if it was not given or does not count
        self.error_reports = ""  # -oe: "e", "m", "p", "q", "w"
        self.is_local_error = False  # -E
        self.bounced_id = ""
        self.reference = ""  # -oMm
        self.suppresses_fixups = False  # -G
        self.timeout: float | None = None  # -or; None: receive_timeout

    @property
    def failure(self) -> int:
        """The exit status after an error that has been reported by mail."""
        return SUCCESS if self.error_reports == "e" else FAILURE

    @property
    def is_to_stderr(self) -> bool:
        """True if errors are told on standard error instead of by mail."""
        return self.error_reports in ("p", "q")


class Problem(Exception):
    """The message cannot be taken in: a complaint for its sender, and what standard error says instead of it."""

    def __init__(self, complaint: Complaint, text: str) -> None:
        super().__init__(text)
        self.complaint = complaint
        self.text = text


def submit(context: Context, request: Request, submitter: Submitter, stream: Stream) -> int:
    """Take one message in; gives the exit status."""
    message = context.message
    main = context.config.main
    stream.timeout = main.receive_timeout if request.timeout is None else request.timeout
    _envelope(context, request, submitter)
    if context.client.is_local:
        user = f" u={context.client.authenticated_id}" if context.client.authenticated_id else ""
        context.client.auth_results = [f"local=pass (non-smtp, {main.primary_hostname}){user}"]
    try:
        _argument_recipients(context, request, stream)
    except Problem as problem:
        return _failed(context, request, problem)
    try:
        size_limit = message_size_limit(context, "invalid value for")
    except ExpandError as error:
        context.services.logs.panic(str(error))
        return FAILURE
    if not has_space(context, 0):
        request.complain("exim: insufficient disk space\n")
        return FAILURE
    context.reception = reception = Reception()
    reception.suppress_local_fixups = request.suppresses_fixups
    if main.acl_not_smtp_start is not None:
        engine.check(main.acl_not_smtp_start, where.NOT_SMTP_START, context)
    give_id(context)
    context.client.connection_id = context.client.connection_id or str(os.getpid())
    body = context.services.spool.new_body(message.queue_name)
    reader = PlainReader(main.header_maxsize, main.header_line_maxsize, dot_ends=request.dot_ends)
    is_local = context.client.is_local
    incoming = Incoming(context, reception, reader, body, submitter, is_local=is_local, is_smtp=False)
    try:
        incoming.size_limit = size_limit
        incoming.recipients_from_headers = request.recipients_from_header
        incoming.has_given_sender = request.sender is not None
        incoming.errors_are_fatal = request.is_to_stderr
        incoming.report = partial(report, context)
        incoming.arrival.reference = request.bounced_id or request.reference
        _read(incoming, reader, request, stream)
        return _judge(incoming, request, accept(incoming))
    except Problem as problem:
        return _failed(context, request, problem)
    finally:
        incoming.close()


def _envelope(context: Context, request: Request, submitter: Submitter) -> None:
    """Who sends it."""
    message, client = context.message, context.client
    message.allow_unqualified_sender = message.allow_unqualified_recipient = not submitter.keeps_unqualified
    message.login = submitter.login
    message.originator_uid, message.originator_gid = submitter.uid, submitter.gid
    message.is_locally_submitted_error = request.is_local_error
    message.received_protocol = message.received_protocol or "local"
    if request.sender is None:
        message.sender = submitter.address
        message.sender_is_local = True
        if not client.authenticated_id:
            client.authenticated_id = submitter.login
        message.authenticated_sender = message.authenticated_sender or submitter.address
    else:
        message.sender = Tainted(request.sender)
        # Whoever may say nothing else of the sender may still say that there is none.
        message.sender_is_local = request.sender == submitter.address or not (request.sender or submitter.is_trusted)
        message.sender_set_untrusted = not submitter.is_trusted


def _argument_recipients(context: Context, request: Request, stream: Stream) -> None:
    """Recipients from the command line; with -t they are addresses that are not to get the message."""
    main = context.config.main
    most = 0 if request.recipients_from_header else expanded_integer(main.recipients_max, context)
    address_rules = rules(main, literals_allowed=True)
    for argument in request.recipients:
        items = parse_list(argument, address_rules)
        for item in items:
            if item.parsed is None:
                shown = argument[item.start : item.end].strip(SPACE)
                complaint = Complaint(Kind.BAD_ARGUMENT, [(shown, item.error)])
                complaint.rest = stream
                raise Problem(complaint, f'bad recipient address "{shown}": {item.error}')
            if 0 < most <= len(context.message.recipients):
                complaint = Complaint(Kind.TOO_MANY)
                complaint.rest = stream
                raise Problem(complaint, "too many recipients")
            address = item.parsed.address
            recipient = Recipient(Tainted(address))
            if item.parsed.at < 0:
                recipient.given = address
                recipient.address = Tainted(f"{address}@{main.qualify_recipient}")
            context.message.recipients.append(recipient)
    if request.recipients_from_header:
        removed = {recipient.address for recipient in context.message.recipients}
        if main.extract_addresses_remove_arguments:
            context.message.recipients = []
            context.message.nonrecipients |= removed


def _read(incoming: Incoming, reader: PlainReader, request: Request, stream: Stream) -> None:
    """Read the whole text. Raises Problem for what cannot be read or is too large."""
    context, body = incoming.context, incoming.body
    limit = incoming.size_limit
    reader.is_from_line = from_line.recogniser(context)
    while not reader.is_complete:
        try:
            data = stream.read()
        except TimeoutError:
            context.services.logs.main("timed out while reading local message", context.message.id)
            raise Problem(Complaint(Kind.IO), "timed out while reading message") from None
        if not data:
            reader.finish()
        else:
            reader.feed(data)
        try:
            body.append(reader.take())
        except SpoolError as error:
            context.services.logs.panic(f"spool write failed: {error}", context.message.id)
            raise Problem(Complaint(Kind.IO), "error while writing spool file") from None
        if reader.too_long:
            raise _too_long(incoming, stream)
        if limit > 0 and body.size > limit:
            break
    if reader.from_line and request.sender is None:
        _believe_from_line(reader.from_line, incoming)


def _believe_from_line(line: bytes, incoming: Incoming) -> None:
    """What UUCP's From line says of the sender counts for callers who may say so."""
    context = incoming.context
    message = context.message
    sender = from_line.sender_in(line, context)
    if sender is None:
        return
    if not incoming.submitter.is_trusted:
        allowed = context.config.main.untrusted_set_sender
        if allowed is None or allowed.match(sender, context) is None:
            return
        message.sender_set_untrusted = True
    message.sender = Tainted(sender)
    message.sender_is_local = False
    message.authenticated_sender = ""
    incoming.has_given_sender = True


def _too_long(incoming: Incoming, stream: Stream) -> Problem:
    """The headers, or one of them, are longer than allowed."""
    context = incoming.context
    main, logs = context.config.main, context.services.logs
    kind, word, what, most = Kind.LONG_HEADER_LINE, "overlong", "message header line", main.header_line_maxsize
    if incoming.reader.too_long == "header":
        kind, word, what, most = Kind.LONG_HEADERS, "ridiculously long", "message header", main.header_maxsize
    caller = logs.fields.full_host(context.client) or context.client.ident
    logs.main(f"{word} {what} received from {caller} (more than {most} characters): message abandoned")
    context.message.id = ""  # as if it had not had one yet
    complaint = Complaint(kind, limit=most)
    complaint.rest = stream
    return Problem(complaint, f"message rejected: {what} too long")


def _judge(incoming: Incoming, request: Request, outcome: Outcome) -> int:
    """Deliver what was accepted; tell whoever sent what was not."""
    context = incoming.context
    if outcome.status == ACCEPTED:
        if not context.message.recipients:
            return FAILURE
        queueing.start_delivery(incoming)
        return SUCCESS
    log_refusal(incoming, outcome)
    if outcome.complaint is None:
        request.complain(f"exim: {outcome.reply}\n")
        return FAILURE
    raise Problem(outcome.complaint, outcome.complaint.for_stderr())


def _failed(context: Context, request: Request, problem: Problem) -> int:
    """Tell whoever sent the message, in the way that was asked for."""
    if request.is_to_stderr:
        request.complain(f"exim: {problem.text}\n")
        return FAILURE
    return request.failure if report(context, problem.complaint) else FAILURE

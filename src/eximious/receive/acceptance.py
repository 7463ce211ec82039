"""The last steps of reception, for every kind of message: headers put right, ACLs asked, spooled, logged, delivered.

Whoever has read a message (`smtp_message`, `local`, `batch`) makes an `Incoming` of it and calls `accept`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.acl import engine, where
from eximious.acl.verdict import ACCEPT, DISCARD, Verdict
from eximious.errors import ExpandError
from eximious.logs.message import Arrival, arrival_line, message_log_line, rejected_header
from eximious.receive import added, queueing
from eximious.receive.fixups import Fixups
from eximious.receive.header_addresses import put_right
from eximious.receive.headers import Found, records, size_of, value_of
from eximious.receive.received import ReceivedError, received_header, received_text
from eximious.spool.errors import SpoolError
from eximious.spool.message_id import new_id

if TYPE_CHECKING:
    from eximious.acl.settings import Reception
    from eximious.context import Context
    from eximious.receive.submitter import Submitter
    from eximious.smtp.data import MessageReader
    from eximious.spool.body import Body

# How it ended.
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"  # by an ACL; `verdict` says what to tell whoever sent it
FAILED: Final = "failed"  # by a limit or a fault of ours; `code` and `reply` say what


class Outcome:
    """What became of a message."""

    __slots__ = ("code", "reply", "status", "verdict")

    def __init__(self, status: str, code: int = 250, reply: str = "", verdict: Verdict | None = None) -> None:
        self.status = status
        self.code = code
        self.reply = reply
        self.verdict = verdict


class Incoming:
    """A message whose text has been read."""

    __slots__ = (
        "accept_message",
        "arrival",
        "body",
        "context",
        "discarded_by",
        "is_batch",
        "is_local",
        "is_smtp",
        "reader",
        "reception",
        "submitter",
    )

    def __init__(
        self,
        context: Context,
        reception: Reception,
        reader: MessageReader,
        body: Body,
        submitter: Submitter,
        *,
        is_local: bool,
        is_smtp: bool,
        is_batch: bool = False,
    ) -> None:
        self.context = context
        self.reception = reception
        self.reader = reader
        self.body = body
        self.submitter = submitter
        self.is_local = is_local
        self.is_smtp = is_smtp  # interactive SMTP: the DATA ACL, not the one for other messages
        self.is_batch = is_batch
        self.arrival = Arrival()
        self.discarded_by = ""  # the ACL that discarded all recipients, and why; "" while there are some
        self.accept_message = ""  # what the ACL wants the client to be told instead of "OK id=..."


def give_id(context: Context) -> None:
    """The message begins to arrive: it gets its id and its time."""
    message = context.message
    message.received_at = context.services.now()
    number = context.services.localhost_number
    if number == -1:
        number = context.services.localhost_number = _localhost_number(context)
    message.id = new_id(number)


def _localhost_number(context: Context) -> int | None:
    """``localhost_number``, which was checked when the configuration was read."""
    template = context.config.main.localhost_number
    return None if template is None else int(template.expand(context))


def accept(incoming: Incoming) -> Outcome:
    """Take the message in, or refuse it. What is accepted is on disk when this returns."""
    context = incoming.context
    message = context.message
    reader = incoming.reader
    message.headers = records(reader.headers or [])
    message.body = incoming.body
    message.body_size = incoming.body.size
    message.body_line_count = reader.body_lines
    message.body_zero_count = reader.body_zeros
    message.max_received_line_length = reader.longest_line
    try:
        text = _put_headers_right(incoming)
    except ReceivedError as error:
        context.services.logs.panic(str(error), message.id)
        return Outcome(FAILED, 451, "Temporary local problem - please try later")
    if Found(message.headers).received_count > context.config.main.received_headers_max + 1:
        return _loops(incoming)
    refused = _ask(incoming)
    if refused is not None:
        return refused
    return _store(incoming, text)


def _put_headers_right(incoming: Incoming) -> str:
    """Fix-ups, Received:, qualification and rewriting, and what earlier ACLs have added; gives Received:'s text."""
    context = incoming.context
    message = context.message
    reception = incoming.reception
    fixups = Fixups(
        context,
        reception,
        incoming.submitter,
        is_local=incoming.is_local,
        is_smtp=incoming.is_smtp or incoming.is_batch,
    )
    fixups.apply()
    put_right(
        context,
        qualifies_senders=message.allow_unqualified_sender and not incoming.submitter.keeps_unqualified,
        qualifies_recipients=message.allow_unqualified_recipient and not incoming.submitter.keeps_unqualified,
    )
    text = received_text(context)
    message.headers.insert(0, received_header(text, context))
    if incoming.is_smtp:
        added.apply(context, reception)
    _measure(incoming)
    arrival = incoming.arrival
    arrival.header_id_was_added = fixups.id_was_added
    return text


def _measure(incoming: Incoming) -> None:
    message = incoming.context.message
    headers = size_of(message.headers)
    message.size = headers + 1 + message.body_size
    message.line_count = (
        message.body_line_count + 1 + sum(header.text.count("\n") for header in message.headers if header.kind != "*")
    )


def _loops(incoming: Incoming) -> Outcome:
    context = incoming.context
    logs, message = context.services.logs, context.message
    logs.reject(
        f'rejected from <{message.sender}>{_host(context)}: Too many "Received" headers',
        message.id,
        rejected_header(message, logs.selected),
    )
    return Outcome(FAILED, 550, 'Too many "Received" headers - suspected mail loop')


def _host(context: Context) -> str:
    client = context.client
    fields = context.services.logs.fields
    if client.host_address:
        return fields.host(client) + fields.ident(client)
    return fields.ident(client)


def _ask(incoming: Incoming) -> Outcome | None:
    """What the ACL that runs after the data says; None if the message may come in."""
    context = incoming.context
    main = context.config.main
    if incoming.is_smtp:
        option, moment = main.acl_smtp_data, where.DATA
    else:
        option, moment = main.acl_not_smtp, where.NOT_SMTP
    if option is not None and context.message.recipients:
        verdict = engine.check(option, moment, context)
        if verdict.result == DISCARD:
            why = f": {verdict.log_message}" if verdict.log_message else ""
            incoming.discarded_by = f"{'DATA' if incoming.is_smtp else 'non-SMTP'} ACL discarded recipients){why}"
            context.message.recipients = []
        elif verdict.result != ACCEPT:
            added.apply(context, incoming.reception)
            return Outcome(REFUSED, verdict=verdict)
        else:
            incoming.accept_message = verdict.user_message
    added.apply(context, incoming.reception)
    return None


def _store(incoming: Incoming, received: str) -> Outcome:
    """Make the message ours: on disk, in the log, on its way."""
    context = incoming.context
    message = context.message
    services = context.services
    now = services.now()
    if received and int(now) != int(message.received_at):
        message.headers[_position_of_received(incoming)].text = received_header(received, context).text
    message.received_complete_seconds = max(0.0, now - message.received_at)
    _measure(incoming)
    queueing.apply(incoming)
    spool = services.spool
    if message.recipients:
        try:
            spool.accept(message, incoming.body)
        except SpoolError as error:
            services.logs.panic(f"spool write failed: {error}", message.id)
            return Outcome(FAILED, 451, "Error while writing spool file")
    else:
        incoming.body.close()
    _log(incoming)
    return Outcome(ACCEPTED, 250, f"OK id={message.id}")


def _position_of_received(incoming: Incoming) -> int:
    for position, header in enumerate(incoming.context.message.headers):
        if header.kind == "P" and incoming.context.message.id in header.text:
            return position
    return 0


def _log(incoming: Incoming) -> None:
    context = incoming.context
    message, arrival = context.message, incoming.arrival
    logs = context.services.logs
    found = Found(message.headers)
    if found.message_id is not None:
        arrival.header_id = value_of(found.message_id).strip("<>")
    if found.subject is not None and "subject" in logs.selected:
        arrival.subject = _decoded(value_of(found.subject), context)
    arrival.eight_bit = message.facts.get("body_type", 0)
    arrival.sender_before_rewriting = message.sender_rewritten_from
    flag = "(=" if incoming.reception.fake_response == "550" else "<="
    logs.main(arrival_line(message, arrival, logs.fields, flag), message.id)
    if context.config.main.message_logs and message.recipients:
        context.services.spool.log(message, message_log_line(message, arrival, logs.fields))
    if message.is_frozen:
        logs.main("frozen by ACL", message.id)
    if not message.recipients:
        logs.main(f"=> blackhole ({incoming.discarded_by or 'no recipients)'}", message.id)
        logs.main("Completed", message.id)


def _decoded(text: str, context: Context) -> str:
    if "=?" not in text:
        return text
    from eximious.expand.operators.rfc2047 import decode_words

    try:
        return decode_words(text, context)
    except ExpandError:
        return text

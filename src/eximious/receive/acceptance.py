"""The last steps of reception, for every kind of message: headers put right, ACLs asked, spooled, logged, delivered.

Whoever has read a message (`smtp_message`, `local`, `batch`) makes an `Incoming` of it and calls `accept`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.acl import engine, where
from eximious.acl.verdict import ACCEPT, DISCARD, Verdict
from eximious.logs.message import rejected_header
from eximious.receive import added, dkim, prdr, queueing
from eximious.receive.arrival_log import log_arrival
from eximious.receive.complaint import Complaint, Kind
from eximious.receive.fixups import Fixups
from eximious.receive.header_addresses import put_right
from eximious.receive.header_recipients import extract
from eximious.receive.headers import records
from eximious.receive.incoming import ACCEPTED, FAILED, REFUSED, Incoming, Outcome
from eximious.receive.limits import expanded_integer
from eximious.receive.received import ReceivedError, received_header, received_text
from eximious.smtp.dsn import NEVER
from eximious.spool.errors import SpoolError
from eximious.spool.message import DELETED
from eximious.spool.message_id import new_id

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.spool.message import Message


def give_id(context: Context) -> None:
    """The message begins to arrive: it gets its id and its time."""
    message = context.message
    message.received_at = context.services.now()
    message.dont_deliver = context.services.dont_deliver
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
    message.facts["raw_headers"] = reader.headers  # as they came, for signatures
    message.body = incoming.body
    message.body_size = incoming.body.size
    message.body_line_count = reader.body_lines
    message.body_zero_count = reader.body_zeros
    message.max_received_line_length = reader.longest_line
    _measure(incoming)  # ACLs are to see the size of what came, without what we add to it
    message.line_count += 1  # they count the empty line, too
    _put_headers_right(incoming)
    complaint = incoming.complaint
    if complaint is not None:
        what = "bad addresses" if complaint.kind is Kind.BAD_ADDRESSES else "no recipients"
        context.services.logs.panic(f"{what} found in headers", message.id)
        _with_copy(complaint, incoming)
        if incoming.errors_are_fatal or not message.recipients:
            return Outcome(FAILED, complaint=complaint)
        if incoming.report is not None:
            incoming.report(complaint)
    if not incoming.is_smtp and _too_many(incoming):
        return Outcome(FAILED, 552, "too many recipients", complaint=_with_copy(Complaint(Kind.TOO_MANY), incoming))
    too_big = _too_big(incoming)
    if too_big is not None:
        return too_big
    try:
        text = received_text(context)
    except ReceivedError as error:
        context.services.logs.panic(str(error), message.id)
        return Outcome(FAILED, 451, "Temporary local problem - please try later")
    message.headers.insert(0, received_header(text, context))
    if incoming.is_smtp:
        added.apply(context, incoming.reception)
    refused = _ask_dkim(incoming) or _ask_prdr(incoming) or _ask(incoming)
    if refused is not None:
        return refused
    return _store(incoming, text)


def _put_headers_right(incoming: Incoming) -> None:
    """Recipients from headers, fix-ups, qualification and rewriting."""
    context = incoming.context
    message = context.message
    if incoming.recipients_from_headers:
        incoming.complaint = extract(context)
    is_smtp = incoming.is_smtp or incoming.is_batch
    fixups = Fixups(
        context,
        incoming.reception,
        incoming.submitter,
        is_local=incoming.is_local,
        is_smtp=is_smtp,
        has_given_sender=is_smtp or incoming.has_given_sender,
    )
    fixups.apply()
    incoming.arrival.header_id_was_added = fixups.id_was_added
    put_right(
        context,
        qualifies_senders=message.allow_unqualified_sender and not incoming.submitter.keeps_unqualified,
        qualifies_recipients=message.allow_unqualified_recipient and not incoming.submitter.keeps_unqualified,
    )


def _with_copy(complaint: Complaint, incoming: Incoming) -> Complaint:
    """The complaint, with the message that it is about."""
    headers = incoming.context.message.headers
    complaint.headers = "".join(header.text for header in headers if header.kind != DELETED)
    complaint.body = incoming.body
    return complaint


def _too_many(incoming: Incoming) -> bool:
    """True if a message that did not come by SMTP has more than ``recipients_max`` recipients."""
    context = incoming.context
    limit = expanded_integer(context.config.main.recipients_max, context)
    return 0 < limit < len(context.message.recipients)


def _too_big(incoming: Incoming) -> Outcome | None:
    """Refuse a message that has more than ``message_size_limit``; those who read it stopped a little above."""
    context = incoming.context
    limit = incoming.size_limit
    message, logs = context.message, context.services.logs
    header_size = sum(map(len, incoming.reader.headers or ())) + 1
    size = header_size + incoming.reader.body_size
    if limit <= 0 or size <= limit:
        return None
    if not incoming.is_smtp:
        size = min(size, max(limit + 1, header_size))  # the rest is not read
    logs.reject_selected(
        "size_reject",
        f"rejected from <{message.sender}> {logs.fields.host_and_ident(context.client)}: message too big: "
        f"read={size} max={limit}",
        message.id,
        rejected_header(message, logs.selected),
    )
    complaint = _with_copy(Complaint(Kind.TOO_BIG, limit=limit), incoming)
    return Outcome(FAILED, 552, "Message size exceeds maximum permitted", complaint=complaint)


def _measure(incoming: Incoming) -> None:
    message = incoming.context.message
    live = [header.text for header in message.headers if header.kind != DELETED]
    message.size = sum(map(len, live)) + 1 + message.body_size
    message.line_count = message.body_line_count + sum(text.count("\n") for text in live)


def _ask_dkim(incoming: Incoming) -> Outcome | None:
    """Verify DKIM signatures; what their ACL says if it does not accept."""
    verdict = dkim.check(incoming)
    if verdict is None or verdict.result == DISCARD:
        added.apply(incoming.context, incoming.reception)
    if verdict is None:
        return None
    if verdict.result == DISCARD:
        why = f": {verdict.log_message}" if verdict.log_message else ""
        incoming.discarded_by = f"DKIM ACL discarded recipients){why}"
        incoming.context.message.recipients = []
        return None
    return Outcome(REFUSED, verdict=verdict, moment=where.DKIM)


def _ask_prdr(incoming: Incoming) -> Outcome | None:
    """Ask about each recipient, if the client wants to know; the refusal if no one was accepted."""
    if not incoming.is_smtp or not prdr.is_wanted(incoming):
        return None
    prdr.answer_each(incoming)
    assert incoming.final_reply is not None
    code, text = incoming.final_reply
    return None if code == 250 else Outcome(FAILED, code, text)


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
        if verdict.result in (ACCEPT, DISCARD):
            incoming.accept_message = verdict.user_message
        if verdict.result == DISCARD:
            why = f": {verdict.log_message}" if verdict.log_message else ""
            incoming.discarded_by = f"{'DATA' if incoming.is_smtp else 'non-SMTP'} ACL discarded recipients){why}"
            context.message.recipients = []
        elif verdict.result != ACCEPT:
            added.apply(context, incoming.reception)
            return Outcome(REFUSED, verdict=verdict, complaint=_rejected(verdict, incoming))
    added.apply(context, incoming.reception)
    return None


def _rejected(verdict: Verdict, incoming: Incoming) -> Complaint | None:
    """What the sender of a local submission is told when the ACL refuses it."""
    if incoming.is_smtp:
        return None
    text = verdict.user_message or "local configuration problem"
    return _with_copy(Complaint(Kind.REJECTED, [(text, "")]), incoming)


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
    if incoming.reception.fake_response:
        _promise_no_notification(message)
    spool = services.spool
    if incoming.is_client_gone is not None and incoming.is_client_gone():
        who = services.logs.fields.host_and_ident(context.client)
        protocol = f" P={message.received_protocol}" if message.received_protocol else ""
        services.logs.main(f"SMTP connection lost after final dot {who}{protocol}", message.id)
        return Outcome(FAILED, 421, "SMTP incoming data lost")
    if message.recipients:
        try:
            spool.accept(message, incoming.body)
            incoming.is_stored = True
        except SpoolError as error:
            services.logs.panic(f"spool write failed: {error}", message.id)
            return Outcome(FAILED, 451, "Error while writing spool file")
    log_arrival(incoming)
    return Outcome(ACCEPTED, 250, f"OK id={message.id}")


def _promise_no_notification(message: Message) -> None:
    """Whoever sent it has been told that it was refused; a bounce later on would tell them again."""
    for recipient in message.recipients:
        recipient.dsn_flags = NEVER


def _position_of_received(incoming: Incoming) -> int:
    for position, header in enumerate(incoming.context.message.headers):
        if header.kind == "P" and incoming.context.message.id in header.text:
            return position
    return 0

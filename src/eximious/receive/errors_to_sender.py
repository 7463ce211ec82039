"""Telling the sender of a local submission, by mail, why it was not accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.acl.settings import Reception
from eximious.context import Context
from eximious.errors import Defer, ExpandError
from eximious.octets import SPACE
from eximious.receive import queueing
from eximious.receive.acceptance import accept, give_id
from eximious.receive.arrival_log import log_refusal
from eximious.receive.complaint import Complaint, Kind
from eximious.receive.incoming import ACCEPTED, Incoming
from eximious.receive.limits import message_size_limit
from eximious.receive.server_user import server_user
from eximious.smtp.data import PlainReader
from eximious.spool.body import Body
from eximious.spool.message import Recipient
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.net.stream import Stream

COPY: Final = "\n------ This is a copy of your message, including all the headers. ------\n\n"
SHORTENED: Final = (
    "\n------ This is a copy of your message, including all the headers.\n"
    "------ No more than {} characters of the body are included.\n\n"
)


def report(context: Context, complaint: Complaint) -> bool:
    """Send the complaint to the message's sender; False if it has none or the complaint is refused, too."""
    message = context.message
    logs = context.services.logs
    reference = f" (R={message.facts['bounced_id']})" if message.facts.get("bounced_id") else ""
    if not message.sender:
        main = context.config.main
        limits = {Kind.LONG_HEADERS: main.header_maxsize, Kind.LONG_HEADER_LINE: main.header_line_maxsize}
        logs.main(
            f"Error while reading message with no usable sender address{reference}: {complaint.reason(limits)}",
            message.id,
        )
        return False
    if _send(context, complaint):
        return True
    logs.main("Child mail process returned status 1", message.id)
    return False


def _send(context: Context, complaint: Complaint) -> bool:
    """Make a message of the complaint and take it in, as if the server's user had submitted it."""
    submitter = server_user(context)
    inner = Context(context.config, context.services)
    client, message = inner.client, inner.message
    client.is_local = True
    client.ident = submitter.login
    message.recipients = [Recipient(Tainted(context.message.sender))]
    message.allow_unqualified_sender = message.allow_unqualified_recipient = True
    message.is_locally_submitted_error = True
    message.received_protocol = "local"
    message.login = submitter.login
    message.originator_uid, message.originator_gid = submitter.uid, submitter.gid
    message.facts["bounced_id"] = context.message.id
    give_id(inner)
    text = _text(context, complaint)
    reader = PlainReader(dot_ends=False)
    reader.feed(text)
    reader.finish()
    inner.reception = reception = Reception()
    body = Body.of(reader.take())
    incoming = Incoming(inner, reception, reader, body, submitter, is_local=True, is_smtp=False)
    incoming.size_limit = message_size_limit(inner)
    incoming.arrival.reference = context.message.id
    outcome = accept(incoming)
    if outcome.status != ACCEPTED:
        log_refusal(incoming, outcome)
        report(inner, outcome.complaint or Complaint(Kind.IO))
        return False
    services = context.services
    services.delivery, given = "", services.delivery  # -od is about the message that the caller brought
    try:
        queueing.start_delivery(incoming)
    finally:
        services.delivery = given
    return True


def _text(context: Context, complaint: Complaint) -> bytes:
    """The complaint with its headers, and the message that it is about."""
    main = context.config.main
    try:
        sender = main.dsn_from.expand(context)
    except (ExpandError, Defer) as error:
        context.services.logs.panic(f"failed to expand dsn_from: {error}")
        sender = f"Mail Delivery System <Mailer-Daemon@{main.qualify_domain}>"
    lines = ["Auto-Submitted: auto-replied\n", f"From: {sender}\n", f"To: {context.message.sender}\n"]
    if context.message.id and complaint.headers:
        lines.append(f"References: {_message_id(context)}\n")
    lines.append(f"Subject: Mail failure - {complaint.kind.subject}\n\n")
    lines.append(complaint.words())
    limit = min((n for n in (main.bounce_return_size_limit, complaint.limit) if n > 0), default=0)
    is_cut = complaint.kind is Kind.TOO_BIG and limit > 0
    lines.append(SHORTENED.format(limit) if is_cut else COPY)
    lines.append(complaint.headers + "\n")
    head = "".join(lines).encode("latin-1", "replace")
    return head + _copy(complaint, limit if limit > 0 else None)


def _message_id(context: Context) -> str:
    for header in context.message.headers:
        if header.kind == "I":
            return header.text.partition(":")[2].strip(SPACE)
    return f"<E{context.message.id}@{context.config.main.primary_hostname}>"


def _copy(complaint: Complaint, limit: int | None) -> bytes:
    """The body of the message, or what can still be read of the message."""
    if complaint.body is not None:
        data = b"".join(complaint.body.chunks())
    elif complaint.rest is not None:
        data = _rest(complaint.rest, limit)
    else:
        data = b""
    return data[:limit]


def _rest(stream: Stream, limit: int | None) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        while data := stream.read():
            size += len(data)
            if limit is None or size <= 2 * limit:
                parts.append(data)
    except OSError:
        pass
    return b"".join(parts)

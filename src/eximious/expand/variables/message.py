"""Variables about the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.variable import variable
from eximious.spool.message import DELETED
from eximious.taint import Tainted, is_tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.spool.message import Message


@variable
def message_exim_id(message: Message) -> str:
    """The message's id; empty before it has one."""
    return message.id


@variable
def message_id(message: Message) -> str:
    """The older name of ``$message_exim_id``."""
    return message.id


@variable
def sender_address(message: Message) -> str:
    """The envelope sender; empty for a bounce."""
    return message.sender


@variable
def sender_address_local_part(message: Message) -> str:
    """The sender's local part."""
    return _part(message.sender, message.sender.rpartition("@")[0] or message.sender)


@variable
def sender_address_domain(message: Message) -> str:
    """The sender's domain."""
    return _part(message.sender, message.sender.rpartition("@")[2] if "@" in message.sender else "")


def _part(whole: str, part: str) -> str:
    return Tainted(part) if is_tainted(whole) else part


@variable
def authenticated_sender(message: Message) -> str:
    """The AUTH= of the MAIL command, or the login of a local submitter."""
    return message.authenticated_sender


@variable
def recipients(context: Context) -> str:
    """The envelope recipients with a comma and a space between, where they may be seen."""
    return Tainted(", ".join(r.address for r in context.message.recipients)) if _may_see(context) else ""


@variable
def recipients_list(context: Context) -> str:
    """The envelope recipients as a list with colons, where they may be seen."""
    if not _may_see(context):
        return ""
    return Tainted(":".join(r.address.replace(":", "::") for r in context.message.recipients))


def _may_see(context: Context) -> bool:
    """Users' filters must not learn of blind copies: only ACLs after the last RCPT and system filters may look."""
    return bool(context.facts.get("recipients_visible", context.acl_where in _AFTER_RECIPIENTS))


_AFTER_RECIPIENTS = frozenset(
    {"PREDATA", "DATA", "MIME", "PRDR", "DKIM", "NOTSMTP", "NOTSMTP_START", "non-SMTP", "non-SMTP-start", ""}
)


@variable
def recipients_count(message: Message) -> str:
    """How many envelope recipients the message has."""
    return str(len(message.recipients))


@variable
def message_size(message: Message) -> str:
    """The message's size; before the data has come, what MAIL said, or -1."""
    return str(message.size)


@variable
def message_body_size(message: Message) -> str:
    """The size of the body."""
    return str(message.body_size)


@variable
def message_linecount(message: Message) -> str:
    """The lines of headers and body."""
    return str(message.line_count)


@variable
def body_linecount(message: Message) -> str:
    """The lines of the body."""
    return str(message.body_line_count)


@variable
def body_zerocount(message: Message) -> str:
    """The zero octets in the body."""
    return str(message.body_zero_count)


@variable
def max_received_linelength(message: Message) -> str:
    """The length of the longest line, without its end."""
    return str(message.max_received_line_length)


@variable
def message_age(context: Context) -> str:
    """Seconds since the message was received."""
    received = context.message.received_at
    return str(int(context.services.now()) - int(received)) if received else "0"


@variable
def message_body(context: Context) -> str:
    """The beginning of the body, as far as message_body_visible says."""
    return _visible_body(context, from_end=False)


@variable
def message_body_end(context: Context) -> str:
    """The end of the body."""
    return _visible_body(context, from_end=True)


def _visible_body(context: Context, from_end: bool) -> str:
    body = context.message.body
    if body is None:
        return ""
    main = context.config.main
    length = main.message_body_visible
    start = max(0, context.message.body_size - length) if from_end else 0
    text = body.read(start, length).decode("latin-1").replace("\0", " ")
    if not main.message_body_newlines:
        text = text.replace("\n", " ")
    return Tainted(text)


@variable
def message_headers(context: Context) -> str:
    """All header lines, decoded."""
    texts = [header.text.rstrip(" \t\r\n") for header in context.message.headers if header.kind != DELETED]
    text = "\n".join(texts)
    if "=?" in text:
        from eximious.expand.operators.rfc2047 import decode_words

        text = decode_words(text, context, converts=False)
    return Tainted(text)


@variable
def message_headers_raw(message: Message) -> str:
    """All header lines, as they are."""
    return Tainted("".join(header.text for header in message.headers if header.kind != DELETED))


@variable
def reply_address(message: Message) -> str:
    """The Reply-To: header, or else From:."""
    from eximious.expand.header import matching

    for name in ("reply-to", "from"):
        text = ",\n".join(value.strip(" \t\r\n") for _, value in matching(message.headers, name))
        if text:
            return Tainted(text.replace("\n", " "))
    return ""


@variable
def received_count(message: Message) -> str:
    """How many Received: headers there are, ours included."""
    from eximious.expand.header import matching

    not_yet_added = 1 if message.facts.get("has_no_received_header") else 0
    return str(sum(1 for _ in matching(message.headers, "received")) + not_yet_added)


@variable
def received_protocol(message: Message) -> str:
    """How the message came: ``esmtps``, ``local``, ..."""
    return message.received_protocol


@variable
def received_time(message: Message) -> str:
    """When it came, in seconds since 1970."""
    return str(int(message.received_at))


@variable
def received_for(context: Context) -> str | None:
    """The only recipient, while the Received: header is made."""
    return context.facts.get("received_for")


@variable
def originator_uid(message: Message) -> str:
    """The uid of whoever submitted the message."""
    return str(message.originator_uid)


@variable
def originator_gid(message: Message) -> str:
    """The gid of whoever submitted the message."""
    return str(message.originator_gid)


@variable
def queue_name(message: Message) -> str:
    """The queue that the message is in; empty for the default one."""
    return message.queue_name


@variable
def local_scan_data(message: Message) -> str | None:
    """What a local_scan function left."""
    return message.facts.get("local_scan_data")


@variable
def prdr_requested(message: Message) -> str:
    """``yes`` if the client asked for answers for each recipient."""
    return "yes" if message.facts.get("prdr_requested") else "no"


@variable
def bounce_recipient(context: Context) -> str | None:
    """To whom a bounce is sent, while it is made."""
    return context.facts.get("bounce_recipient")


@variable
def warn_message_delay(context: Context) -> str | None:
    """How long a message has been delayed, while a warning about that is made."""
    return context.facts.get("warn_message_delay")


@variable
def warnmsg_delay(context: Context) -> str | None:
    """The old name of `warn_message_delay`."""
    return context.facts.get("warn_message_delay")


@variable
def warn_message_recipients(context: Context) -> str | None:
    """Which recipients are delayed, while a warning about that is made."""
    return context.facts.get("warn_message_recipients")


@variable
def warnmsg_recipients(context: Context) -> str | None:
    """The old name of `warn_message_recipients`."""
    return context.facts.get("warn_message_recipients")

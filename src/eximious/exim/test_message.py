"""The message of ``-bem FILE``: read as if it had been handed in here, but without a Received: header."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.acl.settings import Reception
from eximious.exim.command_line import CommandLineError
from eximious.exim.filter_message import read_content
from eximious.exim.submission import describe_client, submitter_of
from eximious.exim.submit import sender_of
from eximious.receive import header_recipients
from eximious.receive.acceptance import give_id
from eximious.receive.fixups import Fixups
from eximious.receive.header_addresses import put_right
from eximious.receive.headers import size_of
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation


def read_test_message(call: Invocation, context: Context, path: str) -> None:
    """Read the file into the context. Raises CommandLineError if it cannot be opened."""
    submitter = submitter_of(call, context)
    describe_client(call, context, submitter)
    message = context.message
    message.allow_unqualified_sender = message.allow_unqualified_recipient = True
    message.login = submitter.login
    message.originator_uid, message.originator_gid = submitter.uid, submitter.gid
    message.received_protocol = call.line.protocol
    message.facts["has_no_received_header"] = True
    given = sender_of(call, context, submitter)
    message.sender = submitter.address if given is None else Tainted(given)
    message.sender_is_local = given is None
    message.received_at = context.services.now()
    give_id(context)
    try:
        fd = os.open(path.encode("latin-1"), os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise CommandLineError(f"exim: failed to open {path}: {reason}") from None
    try:
        read_content(context, fd)
    finally:
        os.close(fd)
    message.line_count = sum(header.text.count("\n") for header in message.headers) + 1 + message.body_line_count
    message.size = size_of(message.headers) + 1 + message.body_size
    if call.line.recipients_from_header:
        header_recipients.extract(context)
    reception = context.reception = Reception()
    Fixups(context, reception, submitter, is_local=True, is_smtp=False, has_given_sender=given is not None).apply()
    put_right(context, qualifies_senders=True, qualifies_recipients=True)
    context.facts["recipients_visible"] = True

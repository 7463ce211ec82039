"""``exim ADDRESS...``, ``exim -t``, ``exim -bm``: one message on standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.exim import deliveries
from eximious.exim.command_line import CommandLineError
from eximious.exim.submission import describe_client, submitter_of

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation
    from eximious.receive.local import Request
    from eximious.receive.submitter import Submitter


def run(call: Invocation) -> int:
    """Receive the message; gives the exit status."""
    from eximious.net.blocking import BlockingStream
    from eximious.receive.local import submit

    context = call.context()
    submitter = submitter_of(call, context)
    describe_client(call, context, submitter)
    request = request_of(call, context, submitter)
    deliveries.arrange(call)
    return submit(context, request, submitter, BlockingStream(0, 1))


def request_of(call: Invocation, context: Context, submitter: Submitter) -> Request:
    """What the command line says of the message. Raises CommandLineError."""
    from eximious.receive.local import Request

    line = call.line
    request = Request()
    request.recipients = line.arguments
    request.recipients_from_header = line.recipients_from_header
    request.dot_ends = not line.dot_is_data
    request.sender = sender(call, context)
    request.error_reports = line.error_reports
    request.is_local_error = line.is_local_error
    request.bounced_id = line.bounced_id
    request.reference = line.message_reference if submitter.is_trusted else ""
    request.suppresses_fixups = line.suppress_fixups
    request.timeout = line.receive_timeout
    if submitter.is_trusted and line.protocol:
        context.message.received_protocol = line.protocol
    if line.authenticated_sender is not None and submitter.is_trusted:
        context.message.authenticated_sender = line.authenticated_sender
    return request


def sender(call: Invocation, context: Context) -> str | None:
    """The sender that -f gives, if the caller may give one; None otherwise. Raises CommandLineError."""
    given = call.line.sender
    if given is None:
        return None
    from eximious.address.parse import SENDER, AddressError, parse

    try:
        address = parse(given, SENDER).address if given else ""
    except AddressError as error:
        raise CommandLineError(f'exim: bad -f address "{given}": {error}') from None
    if address and "@" not in address:
        address = f"{address}@{call.config.main.qualify_domain}"
    return address if call.caller.is_trusted or not address or may_set(context, address) else None


def may_set(context: Context, address: str) -> bool:
    """True if users who are not trusted may use this sender (``untrusted_set_sender``)."""
    from eximious.errors import Defer

    allowed = context.config.main.untrusted_set_sender
    try:
        return allowed is not None and allowed.match(address, context) is not None
    except Defer:
        return False

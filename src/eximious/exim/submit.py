"""``exim recipient ...``, ``exim -t``, ``exim -bm``: a message on standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address.parse import AddressError, parse
from eximious.exim import deliveries, forward
from eximious.exim.command_line import EXIT_FAILURE, CommandLineError
from eximious.exim.submission import describe_client, submitter_of
from eximious.receive.envelope import rules

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation
    from eximious.receive.local import Request
    from eximious.receive.submitter import Submitter


def run(call: Invocation) -> int:
    """Take the message in; gives the exit status."""
    from eximious.net.blocking import BlockingStream
    from eximious.receive.local import submit

    connection = forward.connect(call)
    if connection is not None:
        return forward.submit(call, connection)
    context = call.context()
    submitter = submitter_of(call, context)
    describe_client(call, context, submitter)
    request = request_of(call, context, submitter)
    deliveries.arrange(call)
    status = submit(context, request, submitter, BlockingStream(0, 1))
    if call.config.main.mua_wrapper and getattr(context.services.deliveries, "has_failed", False):
        return EXIT_FAILURE
    return status


def request_of(call: Invocation, context: Context, submitter: Submitter) -> Request:
    """What the command line says of the message; what it says of the protocol goes into the context.

    Raises CommandLineError.
    """
    from eximious.receive.local import Request

    line = call.line
    request = Request()
    request.recipients = line.arguments
    request.recipients_from_header = line.recipients_from_header
    request.dot_ends = not line.dot_is_data
    request.error_reports = line.error_reports
    request.is_local_error = line.is_local_error
    request.bounced_id = line.bounced_id
    request.reference = line.message_reference
    request.suppresses_fixups = line.suppress_fixups
    request.timeout = line.receive_timeout
    request.sender = sender_of(call, context, submitter)
    if submitter.is_trusted:
        context.message.received_protocol = line.protocol
        if line.authenticated_sender is not None:
            context.message.authenticated_sender = line.authenticated_sender
    return request


def sender_of(call: Invocation, context: Context, submitter: Submitter) -> str | None:
    """The address of -f if the caller may give it, else None. Raises CommandLineError if it is no address."""
    text = call.line.sender
    if text is None:
        return None
    main = call.config.main
    try:
        parsed = parse(text if text else "<>", rules(main, allow_null=True))
    except AddressError as error:
        raise CommandLineError(f'exim: bad -f address "{text}": {error}') from error
    address = parsed.address
    if address and parsed.at < 0:
        address = f"{address}@{main.qualify_domain}"
    if not address or submitter.is_trusted:
        return address
    allowed = main.untrusted_set_sender
    if allowed is not None and allowed.match(address, context) is not None:
        return address
    return None

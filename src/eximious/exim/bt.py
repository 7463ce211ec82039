"""``exim -bt``: where mail for addresses would go."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eximious.exim.local_jobs import arrange_local_jobs
from eximious.exim.submission import describe_client, submitter_of
from eximious.exim.test_logs import show_logs
from eximious.taint import taint

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation
    from eximious.verify.address import Result

EXIT_STATUS = {"ok": 0, "defer": 1, "fail": 2}


def run(call: Invocation) -> int:
    """Route each address. The exit status is 2 if any fails, else 1 if any cannot be resolved now."""
    arrange_local_jobs(call)
    context = call.context()
    context.facts["debug_print"] = sys.stderr.write
    show_logs(call, names_them=True)
    return for_each_address(call, context, lambda text: _test(call, context, text))


def _test(call: Invocation, context: Context, text: str) -> Result:
    from eximious.verify.report import RoutingReport

    return RoutingReport(context, call.print, has_details=call.services.admin).report(text)


def for_each_address(call: Invocation, context: Context, test: object) -> int:
    """Apply a test to the addresses of the command line, or of standard input; the exit status for all."""
    from eximious.address.parse import AddressError, parse
    from eximious.address.rules import address_rules
    from eximious.exim.be import sender_of

    # Whoever only tests may say anything of where a message comes from (-oM..., -f).
    call.caller.is_trusted = True
    submitter = submitter_of(call, context)
    describe_client(call, context, submitter)
    if call.line.protocol:
        context.message.received_protocol = call.line.protocol
    context.message.sender = sender_of(call)
    assert callable(test)
    status = 0
    for text in addresses_of(call):
        try:
            address = parse(text, address_rules(context)).address
        except AddressError as error:
            call.print(f"syntax error: {error}")
            status = 2
            continue
        found = EXIT_STATUS[test(taint(address)).value]
        if found == 2 or status == 0:
            status = found
    return status


def addresses_of(call: Invocation) -> Iterator[str]:
    """The addresses to test: an argument may hold several, separated by commas; a line of standard input holds one."""
    from eximious.exim.be import prompted_lines

    if not call.line.arguments:
        sys.stdin.reconfigure(encoding="latin-1", newline="\n")  # type: ignore[union-attr]
        for line in prompted_lines():
            yield line
            sys.stdout.flush()
        sys.stdout.write("\n")
        return
    for argument in call.line.arguments:
        yield from split_addresses(argument)


def split_addresses(text: str) -> Iterator[str]:
    """The addresses of a comma-separated list."""
    from eximious.address.header_list import find_end

    position = 0
    while position < len(text):
        end = find_end(text, position)
        yield text[position:end]
        position = end
        while position < len(text) and (text[position] == "," or text[position].isspace()):
            position += 1

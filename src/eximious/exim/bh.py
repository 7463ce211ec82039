"""``exim -bh ADDRESS``: what would happen if a client with this address connected. Nothing is stored, nothing waits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eximious.exim.local_jobs import arrange_local_jobs
from eximious.exim.submission import endpoint
from eximious.expand.ip import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eximious.context import Context
    from eximious.exim.invocation import Invocation
    from eximious.logs.log import Logs
    from eximious.spool.body import Body
    from eximious.spool.message import Message

SHOWN = ("acl", "auth", "dns", "host_lookup", "lists", "rewrite", "route", "tls", "verify")


def run(call: Invocation) -> int:
    """Hold the session on standard input and output; gives the exit status."""
    from eximious.exim.trace import Trace
    from eximious.net.blocking import BlockingStream
    from eximious.receive.session import Session

    address, port = endpoint(_address(call))
    packed = pack(address)
    if packed is not None:
        address = unpack(packed)  # the usual text of an IPv6 address
    call.print(f"\n**** SMTP testing session as if from host {address}")
    call.print("**** but without any ident (RFC 1413) callback.\n**** This is not for real!\n")
    sys.stdout.flush()
    arrange_local_jobs(call)
    context = call.context()
    context.trace = Trace(SHOWN, _to_stderr)
    _describe(call, context, address, port)
    services = call.services
    services.logs = _shown_logs(services.logs)
    services.spool = Nowhere()  # type: ignore[assignment]
    stream = BlockingStream(0, 1)
    session = Session(stream, context, is_checking=True)
    session.does_callouts = call.line.test_callouts
    context.message.authenticated_sender = call.line.authenticated_sender or ""
    session.run()
    return 0


def _address(call: Invocation) -> str:
    """Of -bh or -oMa, whichever came last."""
    line = call.line
    if not line.host_address:
        return line.test_address
    last = max((n for n, word in enumerate(line.words) if word in ("-bh", "-bhc")), default=-1)
    return line.host_address if "-oMa" in line.words[last + 1 :] else line.test_address


def _describe(call: Invocation, context: Context, address: str, port: int) -> None:
    """What the command line says of the client."""
    line, client = call.line, context.client
    client.host_address = address
    client.host_port = port
    if line.host_name:
        client.host_name = line.host_name
    if line.interface:
        client.interface_address, client.interface_port = endpoint(line.interface)
    if line.ident is not None:
        client.ident = line.ident
    if line.authenticator:
        client.authenticator_name = line.authenticator
    if line.authenticated_id is not None:
        client.authenticated_id = line.authenticated_id


def _to_stderr(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f">>> {text}")
    sys.stderr.flush()


def _shown_logs(logs: Logs) -> Logs:
    """Logs that are shown on standard error, and written nowhere."""
    from eximious.logs.destination import Destinations
    from eximious.logs.log import Logs as Base

    class Shown(Base):
        def write(self, logs: Iterable[str], text: str, message_id: str = "", details: str = "") -> None:
            sys.stdout.flush()
            sys.stderr.write(f"LOG: {message_id} {text}\n" if message_id else f"LOG: {text}\n")
            sys.stderr.flush()

    shown = Shown(Destinations(None, False), logs.selected)
    shown.fields = logs.fields
    return shown


class Nowhere:
    """A queue that takes messages in and forgets them."""

    def new_body(self, queue_name: str = "") -> Body:
        """A body that stays in memory."""
        from eximious.spool.body import Body

        return Body()

    def accept(self, message: Message, body: Body) -> None:
        """Nothing is stored."""

    def log(self, message: Message, line: str) -> None:
        """Nothing is logged."""

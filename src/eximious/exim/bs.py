"""``exim -bs``: SMTP on standard input and output, from a local program or from inetd; ``-bS``: SMTP in a batch."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from eximious.exim import deliveries, forward
from eximious.exim.local_jobs import arrange_local_jobs
from eximious.exim.submission import describe_client, submitter_of

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation
    from eximious.net.stream import Stream

PRIVILEGED = 1024  # ports below belong to root


def run(call: Invocation) -> int:
    """Receive messages until the input ends; gives the exit status."""
    arrange_local_jobs(call)
    context = call.context()
    submitter = submitter_of(call, context)
    describe_client(call, context, submitter)
    if call.line.asks("bS"):
        from eximious.receive.batch import receive_batch

        deliveries.arrange(call)
        protocol = call.line.protocol if call.caller.is_trusted else ""
        return receive_batch(context, submitter, protocol or "local-bsmtp")
    connection = forward.connect(call)
    if connection is not None:
        return forward.talk(call, connection)
    stream = _stream()
    if stream.peer.address and call.config.main.mua_wrapper:
        call.complain("Daemon cannot be run when mua_wrapper is set")
        return 1
    if stream.peer.address and not call.line.host_address:
        client = context.client
        if stream.peer.port >= PRIVILEGED and call.caller.uid not in (0, call.config.main.exim_user):
            call.complain("exim: Permission denied (unprivileged user, unprivileged port)")
            return 1
        client.is_local = False
        client.ident = ""
        client.host_address, client.host_port = stream.peer.address, stream.peer.port
        client.interface_address, client.interface_port = stream.local.address, stream.local.port
    deliveries.arrange(call)
    from eximious.receive.session import Session

    session = Session(stream, context)
    if not stream.peer.address:
        session.submitter = submitter
    if call.caller.is_trusted:
        context.message.authenticated_sender = call.line.authenticated_sender or ""
    session.run()
    return 0 if session.has_quit else 1


def _stream() -> Stream:
    """Standard input and output; if they are a connection (inetd), that."""
    from eximious.net.blocking import BlockingStream, SocketStream

    if stat.S_ISSOCK(os.fstat(0).st_mode):
        import socket

        connection = socket.socket(fileno=os.dup(0))
        if connection.family in (socket.AF_INET, socket.AF_INET6):
            return SocketStream(connection)
        connection.close()
    return BlockingStream(0, 1)

"""Messages from ordinary users of this machine, over the daemon's Unix socket: no program needs root's rights for that.

The client (`eximious.exim.forward`) sends its command line as one line of JSON, then the message or, for ``-bs``, SMTP.
Who it is, the kernel says: nothing that it claims about itself counts. See docs/decisions/0022-local-submission.md.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

from eximious.daemon import privilege
from eximious.exim import combinations, modes, permissions
from eximious.exim.command_line import EXIT_FAILURE, CommandLine, CommandLineError
from eximious.exim.identity import Caller
from eximious.exim.invocation import Invocation

if TYPE_CHECKING:
    from eximious.net.loop import LoopStream
    from eximious.net.stream import Stream
    from eximious.services import Services

LINE_LIMIT: Final = 1 << 20  # octets of the command line
PATIENCE: Final = 30.0  # seconds for the command line to come
CREDENTIALS: Final = struct.Struct("=iII")  # process, user, group
SO_PEERGROUPS: Final = 59  # linux: asm-generic/socket.h
GROUPS_SIZE: Final = 1024  # octets; what Python gives room for
CONTROL: Final = frozenset(chr(code) for code in (*range(32), 127))  # what no word may contain
SERVED: Final = frozenset({"bm", "bs"})


def serve(stream: LoopStream, services: Services) -> None:
    """Receive what one user submits; runs in a greenlet of its own."""
    try:
        stream.timeout = PATIENCE
        caller = caller_at(stream.socket)
        line = read_line(stream)
        call = prepare(line, caller, services)
        if modes.mode_of(line) == "bs":
            _converse(call, stream)
        else:
            _submit(call, stream)
    except CommandLineError as error:
        answer(stream, error.status, f"{error}\n")
    except (OSError, ValueError):
        pass  # a client that says nothing sensible, or has gone
    finally:
        stream.close()


def caller_at(connection: Any) -> Caller:
    """Who is at the other end of the socket, as the kernel knows it."""
    _, uid, gid = CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    try:
        data = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, GROUPS_SIZE)
    except OSError:  # more groups than fit
        groups = frozenset(privilege.supplementary_groups(uid, gid))
    else:
        groups = frozenset(struct.unpack(f"={len(data) // 4}I", data))
    return Caller(uid, gid, groups, uid)


def read_line(stream: LoopStream) -> CommandLine:
    """The command line; what comes after it stays for the next reader. Raises ValueError, CommandLineError, OSError."""
    from eximious.exim.options import parse

    data = b""
    while b"\n" not in data:
        more = stream.read()
        if not more or len(data) > LINE_LIMIT:
            raise ValueError("no command line")
        data += more
    first, _, rest = data.partition(b"\n")
    stream.push_back(rest)
    try:
        words = words_in(json.loads(first))
    except RecursionError as error:
        raise ValueError("no command line") from error
    line = parse(words)
    combinations.check(line)
    return line


def words_in(facts: object) -> list[str]:
    """The command line in the client's JSON. Raises ValueError if there is none."""
    if not isinstance(facts, dict) or not isinstance(facts.get("words"), list):
        raise ValueError("no command line")
    words = [facts.get("program"), *facts["words"]]
    if not all(isinstance(word, str) and CONTROL.isdisjoint(word) for word in words):
        raise ValueError("no command line")
    return words


def prepare(line: CommandLine, caller: Caller, services: Services) -> Invocation:
    """What the modes work with. Raises CommandLineError for what cannot be asked for over the socket."""
    name = modes.mode_of(line)
    if name not in SERVED or line.debug or line.dont_deliver or line.load_message:
        raise CommandLineError("exim: the daemon only takes messages from its socket", EXIT_FAILURE)
    caller.learn(services.config.main)
    permissions.check(line, name, caller, services.config.main)
    return Invocation(line, caller, services.config, services)


def _converse(call: Invocation, stream: Stream) -> None:
    """SMTP, as ``-bs`` does it."""
    from eximious.exim.submission import describe_client, submitter_of
    from eximious.receive.session import Session

    context = call.context()
    submitter = submitter_of(call, context)
    describe_client(call, context, submitter)
    session = Session(stream, context)
    if context.client.is_local:
        session.submitter = submitter
    session.run()


def _submit(call: Invocation, stream: LoopStream) -> None:
    """One message, up to the end of what the client sends."""
    from eximious.exim.submission import describe_client, submitter_of
    from eximious.exim.submit import request_of
    from eximious.receive.local import submit

    complaints: list[str] = []
    context = call.context()
    submitter = submitter_of(call, context)
    describe_client(call, context, submitter)
    request = request_of(call, context, submitter)
    request.complain = complaints.append
    status = submit(context, request, submitter, stream)
    answer(stream, status, "".join(complaints))


def answer(stream: Stream, status: int, text: str) -> None:
    """Tell the client how it ended."""
    stream.write(json.dumps({"status": status, "stderr": text}).encode("ascii"))
    stream.flush()

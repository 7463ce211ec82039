"""Handing a message, or a whole SMTP dialogue, to the daemon: what ordinary users' calls do.

The other side is `eximious.exim.local_server`. See docs/decisions/0022-local-submission.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
from typing import TYPE_CHECKING, Final

from eximious.exim.command_line import EXIT_FAILURE, EXIT_SUCCESS

if TYPE_CHECKING:
    from eximious.exim.invocation import Invocation

CHUNK: Final = 65536


def connect(call: Invocation) -> socket.socket | None:
    """A connection to the daemon, if this process cannot receive messages itself and a daemon is there that can."""
    if os.geteuid() in (0, call.config.main.exim_user):
        return None
    path = call.config.main.local_submission_socket
    if not path or call.config.main.mua_wrapper:
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return None
    return connection


def submit(call: Invocation, connection: socket.socket) -> int:
    """Send the message on standard input; the daemon's exit status, after whatever it has to say on standard error."""
    with connection:
        try:
            connection.sendall(first_line(call))
            while data := os.read(0, CHUNK):
                connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has made up its mind before the end
        return _verdict(connection)


def _verdict(connection: socket.socket) -> int:
    answer = b""
    with contextlib.suppress(OSError):
        while more := connection.recv(CHUNK):
            answer += more
    try:
        verdict = json.loads(answer)
        sys.stderr.write(verdict["stderr"])
        return int(verdict["status"])
    except (ValueError, KeyError, TypeError):
        sys.stderr.write("exim: the daemon has not accepted the message\n")
        return EXIT_FAILURE


def talk(call: Invocation, connection: socket.socket) -> int:
    """Pass SMTP from standard input to the daemon, and its replies to standard output, until it ends the dialogue."""
    with connection:
        with contextlib.suppress(BrokenPipeError):
            connection.sendall(first_line(call))
        is_open = True
        while True:
            readable, _, _ = select.select([connection.fileno(), 0] if is_open else [connection.fileno()], [], [])
            if connection.fileno() in readable:
                try:
                    replies = connection.recv(CHUNK)
                except ConnectionResetError:
                    replies = b""
                if not replies:
                    return EXIT_SUCCESS
                sys.stdout.buffer.write(replies)
                sys.stdout.buffer.flush()
            elif is_open:
                data = os.read(0, CHUNK)
                if data:
                    with contextlib.suppress(BrokenPipeError):
                        connection.sendall(data)
                else:
                    is_open = False
                    connection.shutdown(socket.SHUT_WR)


def first_line(call: Invocation) -> bytes:
    """The command line as the daemon wants it: all words but those that say which configuration is read."""
    line = call.line
    return json.dumps({"program": line.program, "words": line.words}).encode("ascii") + b"\n"

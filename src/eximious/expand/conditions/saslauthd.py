"""``saslauthd``: ask Cyrus's password daemon."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, final

from eximious.errors import ExpandError
from eximious.expand.condition import Condition, syntax
from eximious.expand.conditions.acl import braced_arguments
from eximious.expand.nodes import Node
from eximious.waiting import in_thread

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser

SOCKET: Final = "/var/run/saslauthd/mux"
TIMEOUT: Final = 10.0  # seconds for each step
LONGEST: Final = 0xFFFF  # octets of one field


@final
class SaslAuthd(Condition):
    """User, password, service and realm are accepted."""

    __slots__ = ("arguments",)

    def __init__(self, arguments: list[Node]) -> None:
        self.arguments = arguments

    def holds(self, context: Context) -> bool:
        fields = [argument.evaluate(context) for argument in self.arguments]
        return in_thread(ask, [*fields, *([""] * (4 - len(fields)))])


def ask(fields: list[str]) -> bool:
    """The daemon's answer. Each field goes with its length in two octets before it, and so does the answer come."""
    import socket

    request = b"".join(len(field).to_bytes(2, "big") + field.encode("latin-1") for field in fields)
    if any(len(field) > LONGEST for field in fields):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT)
        try:
            connection.connect(SOCKET)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise ExpandError(f"cannot connect to saslauthd daemon at {SOCKET}: {reason}") from None
        try:
            connection.sendall(request)
            with connection.makefile("rb") as answers:
                length = int.from_bytes(answers.read(2), "big")
                answer = answers.read(length)
        except OSError as error:
            raise ExpandError(f"no answer from saslauthd: {error}") from None
    return answer.startswith(b"OK")


@syntax("saslauthd")
def parse_saslauthd(parser: Parser, name: str) -> Condition:
    """``saslauthd{{user}{password}{service}{realm}}``; the last two may be left out."""
    return SaslAuthd(braced_arguments(parser, name, 2, 4))

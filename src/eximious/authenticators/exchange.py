"""The two sides of an SMTP AUTH exchange, as authenticators see them: challenges and responses, without base64.

RFC 4954. Who talks to the network hands in one function; everything else here is plain.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from enum import Enum
from typing import Final

from eximious.errors import EximiousError
from eximious.taint import Tainted

RESPONSE_LIMIT: Final = 12_288  # octets of a line in an exchange, without CRLF: RFC 4954 section 4


class Cancelled(EximiousError):
    """The client gave the exchange up, with ``*``."""


class BadBase64(EximiousError):
    """What the other side sent is no base64."""


def decode(text: str) -> str:
    """The octets that base64 text stands for. Raises BadBase64."""
    try:
        return base64.b64decode(text.encode("latin-1"), validate=True).decode("latin-1")
    except (binascii.Error, ValueError) as error:
        raise BadBase64(text) from error


def encode(text: str) -> str:
    """The octets in base64, on one line."""
    return base64.b64encode(text.encode("latin-1")).decode("ascii")


# The server's side.


class Status(Enum):
    """How an exchange ended, for the server, and what the client is told."""

    OK = "235 Authentication succeeded"
    DEFER = "435 Unable to authenticate at present"
    FAIL = "535 Incorrect authentication data"
    CANCELLED = "501 Authentication cancelled"
    BAD_BASE64 = "501 Invalid base64 data"
    UNEXPECTED = "553 Initial data not expected"


class Result:
    """The end of an exchange, for the server."""

    __slots__ = ("log_message", "set_id", "status", "user_message")

    def __init__(self, status: Status, user_message: str = "", log_message: str = "") -> None:
        self.status = status
        self.user_message = user_message  # more for the client
        self.log_message = log_message  # more for the log; what the client is told is said there anyway
        self.set_id = ""  # who it was or claimed to be: the expanded server_set_id

    @property
    def reply(self) -> str:
        """The whole SMTP reply, with its code."""
        more = f": {self.user_message}" if self.user_message else ""
        return self.status.value + more

    @property
    def log_text(self) -> str:
        """What follows ``authenticator failed for H=...:`` in the log."""
        who = f" (set_id={self.set_id})" if self.set_id else ""
        more = self.user_message or self.log_message
        return self.status.value + who + (f": {more}" if more else "")


class ServerExchange:
    """The server's side. `ask` sends ``334`` with a challenge in base64 and gives the client's next line."""

    def __init__(self, ask: Callable[[str], str], initial: str | None = None) -> None:
        self._ask = ask
        self._initial = initial  # what came with the AUTH command, in base64; None if nothing did

    def initial(self) -> str | None:
        """The initial response, once; None if the client sent none. Raises BadBase64."""
        text, self._initial = self._initial, None
        if text is None:
            return None
        return Tainted("" if text == "=" else decode(text))

    def get(self, challenge: str) -> str:
        """Send a challenge and give the response. Raises Cancelled and BadBase64."""
        line = self._ask(encode(challenge))
        if line == "*":
            raise Cancelled
        if len(line) > RESPONSE_LIMIT:
            raise BadBase64("line too long")
        return Tainted(decode(line))


# The client's side.


class ClientStatus(Enum):
    """How an exchange ended, for the client."""

    OK = "ok"
    FAIL = "refused"  # a 5xx reply: the next authenticator may be tried
    DEFER = "deferred"  # a 4xx reply: the host is tried again later
    CANCELLED = "cancelled"  # we could not make sense of the server, and gave up
    SKIP = "not prepared"  # the configuration says that this authenticator is not for this host
    ERROR = "error"  # a string could not be expanded: no mail goes to this host now


class ClientResult:
    """The end of an exchange, for the client."""

    __slots__ = ("message", "reply", "set_id", "status")

    def __init__(self, status: ClientStatus, message: str = "", reply: str = "") -> None:
        self.status = status
        self.message = message  # why it was cancelled, or could not begin
        self.reply = reply  # the server's last reply, with its code
        self.set_id = ""  # the expanded client_set_id, for log lines


class Refused(EximiousError):
    """The server ended the exchange with a reply that is neither a challenge nor success."""

    def __init__(self, code: int, reply: str) -> None:
        super().__init__(reply)
        self.code = code
        self.reply = reply


class ClientExchange:
    """The client's side. `command` sends a line and gives the code and the text of the server's reply.

    Only the first word of an AUTH command is no secret; whoever shows dialogues must mask the rest.
    """

    def __init__(self, command: Callable[[str], tuple[int, str]], mechanism: str) -> None:
        self._command = command
        self._mechanism = mechanism
        self.is_done = False  # the server said that we are authenticated

    def begin(self, initial: str | None = None) -> str:
        """Send AUTH, perhaps with an initial response; the text of the server's challenge, still in base64."""
        if initial is None:
            return self._send(f"AUTH {self._mechanism}")
        return self._send(f"AUTH {self._mechanism} {encode(initial) or '='}")

    def respond(self, response: str) -> str:
        """Send a response; the next challenge."""
        return self._send(encode(response))

    def cancel(self) -> str:
        """Give up; the server's reply."""
        code, text = self._command("*")
        return f"{code} {text}"

    def _send(self, line: str) -> str:
        code, text = self._command(line)
        if code // 100 == 2:
            self.is_done = True
            return ""
        if code // 100 == 3:
            return text.strip()
        raise Refused(code, f"{code} {text}")

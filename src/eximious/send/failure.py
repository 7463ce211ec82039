"""What can go wrong with a host, as the delivery sees it: whose fault it is, and what is to be logged.

(Exim specification, "Errors in outgoing SMTP".)
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from eximious.errors import EximiousError
from eximious.logs.printing import printing
from eximious.transports.outcome import BAD_REPLY, CONNECTION_CLOSED

if TYPE_CHECKING:
    from eximious.smtp.reply import Reply

HOST: Final = "host"  # nothing can be sent to the host now
MESSAGE: Final = "message"  # the host does not take this message
RECIPIENT: Final = "recipient"  # the host did not answer for one recipient


class Failure(EximiousError):
    """The dialogue cannot go on."""

    def __init__(
        self, message: str, number: int = 0, *, scope: str = HOST, more_errno: int = 0, permanent: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message  # for the log
        self.errno = number
        self.more_errno = more_errno
        self.scope = scope
        self.permanent = permanent  # the host said 5xx: what is concerned fails
        self.reply: Reply | None = None  # the host's words, which whoever gets a bounce may see
        self.command = ""  # what was being answered
        self.connected = True  # false if the connection could not be made
        self.is_tls = False  # TLS could not be used
        self.is_gone = False  # the connection has ended


def reply_text(reply: Reply) -> str:
    """A host's reply as log lines have it: on one line, with nothing but printing characters."""
    return printing(str(reply))


def refusal(what: str, reply: Reply, *, scope: str = HOST, number: int = 0, more_errno: int = 0) -> Failure:
    """The host answered a command with an error."""
    text = f"SMTP error from remote mail server after {what}: {reply_text(reply)}"
    failure = Failure(text, number, scope=scope, more_errno=more_errno, permanent=reply.is_permanent)
    failure.reply = reply
    failure.command = what
    return failure


def lost(what: str, error: OSError | None, *, written: int = 0) -> Failure:
    """The connection ended, or no answer came in time."""
    if isinstance(error, TimeoutError):
        amount = f" ({written} bytes written)" if written else ""
        failure = Failure(f"SMTP timeout after {what}{amount}", errno.ETIMEDOUT)
    elif error is None or error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED):
        failure = Failure(f"Remote host closed connection in response to {what}", CONNECTION_CLOSED)
    else:
        failure = Failure(f"SMTP read error after {what}", error.errno or 0)
    failure.command = what
    failure.is_gone = True
    return failure


def malformed(what: str, received: bytes) -> Failure:
    """What came is no reply."""
    first = received.split(b"\n", 1)[0].rstrip(b"\r").decode("latin-1")
    text = printing(received.rstrip(b"\r\n").decode("latin-1"))
    shown = f" in response to {what}: {text}"
    if not first:
        shown = f" (an empty line) in response to {what}"
    failure = Failure(f"Malformed SMTP reply{shown}", BAD_REPLY)
    failure.command = what
    failure.is_gone = True
    return failure

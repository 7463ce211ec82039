"""How an access control list ended."""

from __future__ import annotations

from typing import Final

from eximious.errors import EximiousError

# Results. The words are those that traces show in capitals.
ACCEPT: Final = "accept"
DENY: Final = "deny"
DEFER: Final = "defer"
DISCARD: Final = "discard"
DROP: Final = "drop"  # deny, and end the connection
ERROR: Final = "error"  # the ACL itself is at fault; the client is told to try again

MAIN_AND_REJECT: Final = ("main", "reject")


class AclError(EximiousError):
    """A condition or modifier cannot be obeyed: the ACL ends with `ERROR`, and the text goes to the log.

    The hint is for whoever checks the configuration.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Verdict:
    """What an ACL decided, what the client is to be told, and what the logs are to say."""

    __slots__ = ("log_message", "log_targets", "result", "user_message")

    def __init__(self, result: str, user_message: str = "", log_message: str = "") -> None:
        self.result = result
        self.user_message = user_message  # "" for the default text
        self.log_message = log_message
        self.log_targets: tuple[str, ...] = MAIN_AND_REJECT  # where a rejection is to be logged

    @property
    def is_accepted(self) -> bool:
        """True if whatever was asked may go on (its recipients may be discarded)."""
        return self.result in (ACCEPT, DISCARD)

    def __repr__(self) -> str:
        return f"Verdict({self.result!r}, {self.user_message!r}, {self.log_message!r})"

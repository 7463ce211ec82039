"""What a retry rule's second field means: the errors for which the rule is, and how a delivery's error matches it.

(Exim specification, "Retry rules for specific errors".)
"""

from __future__ import annotations

import errno
import re
from typing import Final

from eximious.config.numbers import seconds
from eximious.errors import ConfigError, Place, did_you_mean
from eximious.transports.outcome import (
    AUTHENTICATION_FAILED,
    CONNECTION_CLOSED,
    DATA_4XX,
    MAIL_4XX,
    QUOTA,
    RCPT_4XX,
    TLS_REQUIRED,
    UNKNOWN_HOST,
)

# `more_errno` of a failed connection: how the host was found, and that it was the connecting which timed out.
FROM_MX: Final = ord("M")
FROM_A: Final = ord("A")
CONNECTING: Final = 0x0100

REPLIES: Final = {"mail": MAIL_4XX, "rcpt": RCPT_4XX, "data": DATA_4XX}
PLAIN: Final = {
    "auth_failed": (AUTHENTICATION_FAILED, 0),
    "lost_connection": (CONNECTION_CLOSED, 0),
    "lookup": (UNKNOWN_HOST, 0),
    "refused": (errno.ECONNREFUSED, 0),
    "refused_A": (errno.ECONNREFUSED, FROM_A),
    "refused_MX": (errno.ECONNREFUSED, FROM_MX),
    "timeout": (errno.ETIMEDOUT, 0),
    "timeout_A": (errno.ETIMEDOUT, FROM_A),
    "timeout_MX": (errno.ETIMEDOUT, FROM_MX),
    "timeout_connect": (errno.ETIMEDOUT, CONNECTING),
    "timeout_connect_A": (errno.ETIMEDOUT, CONNECTING | FROM_A),
    "timeout_connect_MX": (errno.ETIMEDOUT, CONNECTING | FROM_MX),
    "tls_required": (TLS_REQUIRED, 0),
    "quota": (QUOTA, 0),
}
OLD_NAMES: Final = {"timeout_DNS": "timeout"}
REPLY: Final = re.compile(r"(mail|rcpt|data)_4([\dx])([\dx])")
FULL: Final = (errno.EDQUOT, errno.ENOSPC)


def reply_number(code: str) -> int:
    """The last two digits of a 4xx reply, as they stand in `more_errno`."""
    return int(code[1:3]) << 8


class RetryError:
    """An error, or a kind of errors, for which a retry rule is; `name` is as in the rule, ``*`` for all."""

    __slots__ = ("digits", "errno", "more_errno", "name")

    def __init__(self, name: str, number: int = 0, more_errno: int = 0, digits: tuple[str, str] = ("x", "x")) -> None:
        self.name = name
        self.errno = number  # 0: any
        self.more_errno = more_errno  # what must be there of it; for quota, the seconds that must have passed
        self.digits = digits  # of a reply, "x" for any

    def matches(self, number: int, more_errno: int) -> bool:
        """True if the rule is for this error of a delivery."""
        if self.errno == 0:
            return True
        if self.errno == QUOTA and number in FULL:
            number = QUOTA
        if self.errno != number:
            return False
        if number == QUOTA:
            return more_errno >= self.more_errno
        if number in REPLIES.values():
            return all(wanted in ("x", had) for wanted, had in zip(self.digits, f"{more_errno >> 8:02d}", strict=True))
        if number == errno.ETIMEDOUT and self.more_errno & CONNECTING and not more_errno & CONNECTING:
            return False
        how = self.more_errno & 255
        return how == 0 or how == more_errno & 255


def parse(text: str, place: Place | None = None) -> RetryError:
    """The error that a rule names. Raises ConfigError."""
    name = OLD_NAMES.get(text, text)
    if name == "*":
        return RetryError("*")
    if name in PLAIN:
        return RetryError(name, *PLAIN[name])
    if name.startswith("quota_"):
        try:
            return RetryError(name, QUOTA, int(seconds(name[6:])))
        except ValueError:
            raise ConfigError(f'unknown or malformed retry error "{text}"', place) from None
    match = REPLY.fullmatch(name)
    if match is not None and (match[2] != "x" or match[3] == "x"):
        return RetryError(name, REPLIES[match[1]], 0, (match[2], match[3]))
    if match is not None:
        what = name[:6]
        message = f"{what} must be followed by xx, dx, or dd, where x is literal and d is any digit"
        raise ConfigError(message, place)
    known = [*PLAIN, "mail_4xx", "rcpt_4xx", "data_4xx"]
    raise ConfigError(f'unknown or malformed retry error "{text}"', place, did_you_mean(name, known))

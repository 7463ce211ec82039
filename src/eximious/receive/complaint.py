"""What can be wrong with a message that was submitted on this machine, in the words that its sender gets."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from eximious.octets import SPACE

if TYPE_CHECKING:
    from eximious.spool.body import Body


class Kind(enum.Enum):
    """The kinds of complaint; the value is what follows ``Mail failure -`` in the subject."""

    BAD_ARGUMENT = "malformed recipient address"
    BAD_ADDRESSES = "malformed recipient address "
    NO_RECIPIENTS = "no recipient addresses"
    ALL_REMOVED = "no recipient addresses "
    TOO_MANY = "too many recipients"
    TOO_BIG = "message too big"
    LONG_HEADERS = "overlong header section"
    LONG_HEADER_LINE = "overlong header line"
    REJECTED = "rejected by local scanning code"
    IO = "system failure"

    @property
    def subject(self) -> str:
        """The end of the subject."""
        return self.value.strip(SPACE)


class Complaint:
    """One complaint, with what is needed to word it, and the message to send back."""

    __slots__ = ("addresses", "body", "has_others", "headers", "kind", "limit", "rest")

    def __init__(self, kind: Kind, addresses: list[tuple[str, str]] | None = None, *, limit: int = 0) -> None:
        self.kind = kind
        self.addresses = addresses or []  # addresses at fault, with what is wrong about them
        self.limit = limit
        self.has_others = False  # the message goes on to other recipients
        self.headers = ""  # of the message, as text
        self.body: Body | None = None
        self.rest: Any = None  # the stream to read the message from, where that has not begun

    def words(self) -> str:
        """The explanation, which ends with a newline."""
        if self.kind is Kind.BAD_ADDRESSES:
            return self._bad_addresses()
        text = TEXTS[self.kind]
        if self.addresses:
            address, error = self.addresses[0]
            text = text.format(address=address, error=error)
        return text

    def _bad_addresses(self) -> str:
        lines = "".join(f"  {address}: {error}\n" for address, error in self.addresses)
        ignored = "This address has been" if len(self.addresses) == 1 else "These addresses have been"
        others = (
            "The other addresses in the message were\n"
            "syntactically valid and have been passed on for an attempt at delivery.\n"
            if self.has_others
            else "There were no other addresses in your\nmessage, and so no attempt at delivery was possible.\n"
        )
        return (
            "A message that you sent contained one or more recipient addresses that were\n"
            f"incorrectly constructed:\n\n{lines}\n{ignored} ignored. {others}"
        )

    def for_stderr(self) -> str:
        """What standard error says instead, after ``exim:``."""
        if self.kind is Kind.BAD_ADDRESSES:
            return "invalid address:" + "\nexim: invalid address:".join(
                f"  {one}: {why}" for one, why in self.addresses
            )
        if self.kind in (Kind.NO_RECIPIENTS, Kind.ALL_REMOVED):
            return "no recipients in message"
        if self.kind is Kind.TOO_BIG:
            return f"message rejected: message too big (max={self.limit})"
        if self.kind is Kind.REJECTED:
            return f"message rejected by non-SMTP ACL: {self.addresses[0][0]}"
        if self.kind is Kind.TOO_MANY:
            return "too many recipients"
        return f"message rejected: {self.kind.subject}"

    def reason(self, limits: dict[Kind, int]) -> str:
        """What the log says where there is nobody to tell."""
        if self.kind is Kind.REJECTED:
            return "rejected by non-SMTP ACL: local configuration problem"
        text = REASONS.get(self.kind, self.kind.subject)
        return text.format(limit=self.limit or limits.get(self.kind, 0))


TEXTS = {
    Kind.BAD_ARGUMENT: (
        "A message that you sent contained a recipient address that was incorrectly\n"
        "constructed:\n\n  {address}  {error}\n\nThe message has not been delivered to any recipients.\n"
    ),
    Kind.NO_RECIPIENTS: (
        "A message that you sent contained no recipient addresses, and therefore no\ndelivery could be attempted.\n"
    ),
    Kind.ALL_REMOVED: (
        "A message that you sent using the -t command line option contained no\n"
        "addresses that were not also on the command line, and were therefore\n"
        "suppressed. This left no recipient addresses, and so no delivery could\nbe attempted.\n"
    ),
    Kind.TOO_MANY: (
        "A message that you sent contained more recipients than allowed on this\n"
        "system. It was not delivered to any recipients.\n"
    ),
    Kind.TOO_BIG: (
        "A message that you sent was longer than the maximum size allowed on this\n"
        "system. It was not delivered to any recipients.\n"
    ),
    Kind.LONG_HEADERS: (
        "A message that you sent contained a header section that was excessively\n"
        "long and could not be handled by the mail transmission software. The\n"
        "message has not been delivered to any recipients.\n"
    ),
    Kind.LONG_HEADER_LINE: (
        "A message that you sent contained a header line that was excessively\n"
        "long and could not be handled by the mail transmission software. The\n"
        "message has not been delivered to any recipients.\n"
    ),
    Kind.REJECTED: (
        "A message that you sent was rejected by the local scanning code that\n"
        "checks incoming messages on this system. The following error was given:\n\n  {address}\n"
    ),
    Kind.IO: (
        "A system failure was encountered while processing a message that you sent,\n"
        "so it has not been possible to deliver it.\n"
    ),
}
REASONS = {
    Kind.TOO_BIG: "message too big (limit set to {limit})",
    Kind.LONG_HEADERS: "excessively long message header section read (more than {limit} characters)",
    Kind.LONG_HEADER_LINE: "excessively long message header line read (more than {limit} characters)",
    Kind.TOO_MANY: "too many recipients",
    Kind.NO_RECIPIENTS: "no recipients found in headers",
    Kind.ALL_REMOVED: "no recipients found in headers",
    Kind.BAD_ADDRESSES: "bad address in message",
    Kind.BAD_ARGUMENT: "bad address in message",
}

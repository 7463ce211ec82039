"""The header lines of a message that comes in: records with their kinds, as spool files have them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from eximious.address.parse import AddressError, parse
from eximious.octets import SPACE
from eximious.spool.header_kinds import BCC, CC, FROM, ID, RECEIVED, REPLY_TO, RESENT, SENDER, TO, kind_of
from eximious.spool.message import DELETED, OTHER, Header

WITH_ADDRESSES: Final = frozenset({BCC, CC, FROM, REPLY_TO, SENDER, TO})
RECIPIENTS: Final = frozenset({BCC, CC, TO})


def name_of(text: str) -> str:
    """The name in a header's text, in lower case."""
    return text.partition(":")[0].rstrip(" \t").lower()


def records(lines: Iterable[bytes]) -> list[Header]:
    """Records of header lines as they came, each with its folded lines and a newline at the end."""
    headers = []
    for line in lines:
        text = line.decode("latin-1")
        headers.append(Header(text, kind_of(name_of(text))))
    return headers


class Found:
    """Which of the headers that matter to fix-ups there are. With Resent-... headers, only those count."""

    __slots__ = ("date", "from_", "has_resent", "message_id", "prefix", "received_count", "senders", "subject")

    def __init__(self, headers: list[Header]) -> None:
        names = [(name_of(header.text), header) for header in headers if header.kind != DELETED]
        self.has_resent = any(name.startswith(RESENT) for name, _ in names)
        self.prefix = "Resent-" if self.has_resent else ""
        prefix = RESENT if self.has_resent else ""
        self.date: Header | None = None
        self.from_: Header | None = None
        self.message_id: Header | None = None
        self.subject: Header | None = None
        self.senders: list[Header] = []  # Sender: and Resent-Sender:
        self.received_count = 0
        for name, header in names:
            if name == "received":
                self.received_count += 1
            elif name == "subject":
                self.subject = header
            elif header.kind == SENDER:
                self.senders.append(header)
            if name == prefix + "date":
                self.date = header
            elif name == prefix + "from":
                self.from_ = header
            elif name == prefix + "message-id" and self.message_id is None:
                self.message_id = header


def mark_other_ids(headers: list[Header], message_id: Header | None) -> None:
    """Only one header is the message's id: let the others be like any header."""
    for header in headers:
        if header.kind == ID and header is not message_id:
            header.kind = OTHER


def id_in(header: Header) -> str:
    """The id in a Message-Id: header, as logs have it; "" if it does not look like an address."""
    try:
        return parse(value_of(header)).address
    except AddressError:
        return ""


def value_of(header: Header) -> str:
    """What follows the name, without white space at the ends."""
    return header.text.partition(":")[2].strip(SPACE)


def size_of(headers: list[Header]) -> int:
    """The octets of the headers that are not deleted."""
    return sum(len(header.text) for header in headers if header.kind != DELETED)


def add_after_received(headers: list[Header], header: Header) -> None:
    """Put a header after the Received: headers at the beginning."""
    position = 0
    while position < len(headers) and (headers[position].kind == RECEIVED or headers[position].kind == DELETED):
        position += 1
    headers.insert(position, header)

"""What ``verify = header_...`` looks at: syntax, names, recipients that nobody sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.address.header_list import ListItem, parse_list
from eximious.logs.printing import printing
from eximious.spool.message import DELETED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.address.parse import Rules
    from eximious.spool.message import Header, Message

WITH_ADDRESSES: Final = frozenset("BCFRST")
RECIPIENTS: Final = frozenset("BCT")
VISIBLE: Final = frozenset("CT")
MOST_SHOWN: Final = 1024  # characters of a bad address that are shown


def bad_syntax(message: Message, rules: Rules) -> str:
    """What is wrong with an address in a header, in Exim's words; "" if nothing is."""
    for header, value in _address_headers(message, WITH_ADDRESSES):
        for item in parse_list(value, rules):
            error = item.error
            if item.parsed is not None and item.parsed.at < 0:
                allowed = (
                    message.allow_unqualified_recipient
                    if header.kind in RECIPIENTS
                    else message.allow_unqualified_sender
                )
                error = "" if allowed else "unqualified address not permitted"
            if error:
                return _complaint(header, value, item, error)
    return ""


def _complaint(header: Header, value: str, item: ListItem, error: str) -> str:
    shown = value[item.start : item.end].strip(" \t\r\n")
    error = printing(error, tab=True)
    if len(shown) > MOST_SHOWN:
        return f'{error}: failing address in "{header.name}:" header begins: {printing(shown[:MOST_SHOWN], tab=True)}'
    return f'{error}: failing address in "{header.name}:" header is: {printing(shown, tab=True)}'


def bad_name(message: Message) -> str:
    """What is wrong with the name of a header, if it has other characters than printing ASCII; "" if none has."""
    for header in message.headers:
        name = header.text.partition(":")[0]
        if header.kind != DELETED and not all("!" <= character <= "~" for character in name):
            return f'Invalid character in header "{name}" found'
    return ""


def blind_recipient(message: Message, *, is_caseless: bool) -> bool:
    """True if a recipient of the envelope is in no To: or Cc: header."""
    shown: set[str] = set()
    for _, value in _address_headers(message, VISIBLE):
        shown.update(
            _comparable(item.parsed.address, is_caseless) for item in parse_list(value) if item.parsed is not None
        )
    return any(_comparable(recipient.address, is_caseless) not in shown for recipient in message.recipients)


def _comparable(address: str, is_caseless: bool) -> str:
    local_part, at, domain = address.rpartition("@")
    return address.lower() if is_caseless else f"{local_part}{at}{domain.lower()}"


def sender_addresses(message: Message, rules: Rules) -> Iterator[tuple[Header, ListItem]]:
    """The addresses in Sender:, else Reply-To:, else From:, in the order in which they may stand for the sender."""
    for kind in "SRF":
        for header, value in _address_headers(message, frozenset(kind)):
            for item in parse_list(value, rules):
                yield header, item


def _address_headers(message: Message, kinds: frozenset[str]) -> Iterator[tuple[Header, str]]:
    for header in message.headers:
        if header.kind in kinds:
            yield header, header.text.partition(":")[2]

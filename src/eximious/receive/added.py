"""Header lines that ACLs have added, or want removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import ExpandError
from eximious.receive.headers import name_of
from eximious.spool.header_kinds import RECEIVED, RESENT, kind_of
from eximious.spool.message import DELETED, Header

if TYPE_CHECKING:
    from eximious.acl.settings import Reception
    from eximious.context import Context


def apply(context: Context, reception: Reception) -> None:
    """Do what ACLs have asked for up to now, and forget it."""
    if reception.removed_headers:
        _remove(context, reception.removed_headers)
        reception.removed_headers = []
    if reception.added_headers:
        for added in reception.added_headers:
            _add(context.message.headers, added.text, added.position)
        reception.added_headers = []
        context.facts.pop("headers_added", None)


def _add(headers: list[Header], text: str, position: str) -> None:
    header = Header(text, kind_of(name_of(text)))
    if position == ":at_start:":
        headers.insert(0, header)
    elif position == ":after_received:":
        headers.insert(_after_received(headers), header)
    elif position == ":at_start_rfc:":
        headers.insert(_after_received(headers, with_resent=True), header)
    else:
        headers.append(header)


def _after_received(headers: list[Header], *, with_resent: bool = False) -> int:
    """The position behind the first Received: headers (and the Resent- ones among and after them, if they count),
    wherever they are; the end if there are none."""
    position = 0
    while position < len(headers) and headers[position].kind != RECEIVED:
        position += 1
    while position < len(headers) and (
        headers[position].kind in (RECEIVED, DELETED)
        or (with_resent and name_of(headers[position].text).startswith(RESENT))
    ):
        position += 1
    return position


def _remove(context: Context, lists: list[str]) -> None:
    """Delete the headers that the lists name; an item that begins with ^ is a regular expression."""
    from eximious.lists.split import split

    for text in lists:
        for item in split(text):
            if not item:
                continue
            for header in context.message.headers:
                if header.kind != DELETED and _is_meant(header, item, context):
                    header.kind = DELETED


def _is_meant(header: Header, item: str, context: Context) -> bool:
    if not item.startswith("^"):
        return name_of(header.text) == item.lower()
    from eximious.expand import regex

    try:
        return regex.compile(item).matches(header.text)
    except ExpandError as error:
        context.services.logs.main(f"remove_header: {error}")
        return False

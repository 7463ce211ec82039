"""Addresses in header lines: qualified where that is allowed, and rewritten by the configuration's rules.

Exim specification, "Unqualified addresses" and "Rewriting addresses". A header that is changed stays in the message,
marked as deleted, and the new one follows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.receive.headers import RECIPIENTS, WITH_ADDRESSES
from eximious.rewrite.header import rewrite_header
from eximious.spool.message import DELETED, Header

if TYPE_CHECKING:
    from eximious.context import Context

LONGEST: Final = 1_000_000  # octets of a header that is looked into


def put_right(context: Context, *, qualifies_senders: bool, qualifies_recipients: bool) -> None:
    """Qualify and rewrite the addresses in all headers that hold some."""
    main = context.config.main
    headers = context.message.headers
    for position in range(len(headers) - 1, -1, -1):
        header = headers[position]
        if header.kind not in WITH_ADDRESSES or len(header.text) > LONGEST:
            continue
        domain = ""
        if header.kind in RECIPIENTS:
            if qualifies_recipients:
                domain = main.qualify_recipient
        elif qualifies_senders:
            domain = main.qualify_domain
        text = rewrite_header(header.text, header.kind, context, domain)
        if text != header.text:
            headers.insert(position + 1, Header(text, header.kind))
            header.kind = DELETED

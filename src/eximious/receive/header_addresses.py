"""Addresses in header lines: qualified where that is allowed, and rewritten by the configuration's rules.

Exim specification, "Unqualified addresses" and "Rewriting addresses". A header that is changed stays in the message,
marked as deleted, and the new one follows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.address.header_list import parse_list
from eximious.receive.headers import RECIPIENTS, WITH_ADDRESSES
from eximious.spool.message import DELETED, Header

if TYPE_CHECKING:
    from eximious.config.main import MainOptions
    from eximious.context import Context

LONGEST: Final = 1_000_000  # octets of a header that is looked into


def put_right(context: Context, *, qualifies_senders: bool, qualifies_recipients: bool) -> None:
    """Qualify and rewrite the addresses in all headers that hold some."""
    main = context.config.main
    headers = context.message.headers
    rules = context.config.rewrite_rules
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
        text = qualified(header.text, domain, main, context)
        if rules:
            from eximious.rewrite.header import rewrite_header

            text = rewrite_header(text, header.kind, context)
        if text != header.text:
            headers.insert(position + 1, Header(text, header.kind))
            header.kind = DELETED


def qualified(text: str, domain: str, main: MainOptions, context: Context) -> str:
    """The header with `domain` after addresses that have none; syntax errors are logged, and left."""
    name, colon, value = text.partition(":")
    parts: list[str] = []
    done = 0
    for item in parse_list(value):
        parsed = item.parsed
        if parsed is None:
            # As Exim: the rest of the header is left as it is.
            context.services.logs.main(f"qualify/rewrite: {item.error}", context.message.id)
            continue
        if parsed.at >= 0 or not domain:
            continue
        start, end = item.offset + parsed.start, item.offset + parsed.end
        parts.append(f"{value[done:start]}{parsed.address}@{domain}")
        done = end
    if not parts:
        return text
    return f"{name}{colon}{''.join(parts)}{value[done:]}"

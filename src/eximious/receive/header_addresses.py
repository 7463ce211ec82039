"""Addresses in header lines of a message that comes in: qualified where that is allowed, and rewritten by the rules.

A header that is changed stays in the message, marked as deleted, and the new one follows it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.receive.headers import RECIPIENTS, WITH_ADDRESSES
from eximious.spool.message import DELETED, Header

if TYPE_CHECKING:
    from eximious.context import Context

# One qualified address, alone or in angle brackets after a phrase: there is nothing to qualify or to complain about.
PLAIN: Final = re.compile(
    r"[A-Za-z-]+:[ \t]*(?:[A-Za-z0-9 \t!#$%&'*+/=?^_`{|}~-]*<)?[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@"
    r"[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9][A-Za-z0-9-]*)*>?[ \t]*\n"
)


def put_right(context: Context, *, qualifies_senders: bool, qualifies_recipients: bool) -> None:
    """Qualify and rewrite the addresses in all headers that hold some; syntax errors are logged."""
    main = context.config.main
    headers = context.message.headers
    has_rules = bool(context.config.rewrite_rules)
    for position in range(len(headers) - 1, -1, -1):
        header = headers[position]
        text = header.text
        if header.kind not in WITH_ADDRESSES or (not has_rules and _is_plain(text)):
            continue
        domain = ""
        if header.kind in RECIPIENTS:
            if qualifies_recipients:
                domain = main.qualify_recipient
        elif qualifies_senders:
            domain = main.qualify_domain
        from eximious.rewrite.header import rewrite_header

        changed = rewrite_header(text, header.kind, context, domain)
        if changed != text:
            headers.insert(position + 1, Header(changed, header.kind))
            header.kind = DELETED


def _is_plain(text: str) -> bool:
    return PLAIN.fullmatch(text) is not None and ("<" in text) is (">" in text)

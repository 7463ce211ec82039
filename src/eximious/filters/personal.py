"""``personal``: was the message written to this user, by a person?

It is if the user is named in To:, Cc: or Bcc: and not in From:, if nothing says that a list or a program sent it, and
if it has a sender. (Exim's interfaces to mail filtering, "Testing for personal mail".)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.address.header_list import parse_list
from eximious.spool.message import DELETED

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.spool.message import Header

PROGRAMS: Final = re.compile(
    r"(?:server|daemon|root|listserv|majordomo)@|.*?-request@|owner-[^@]+@", re.IGNORECASE | re.DOTALL
)
BULK: Final = ("bulk", "list", "junk")


def is_personal(context: Context, aliases: list[str]) -> bool:
    """True if the message is personal for the address at hand, which has these other names too."""
    message = context.message
    if not message.sender:
        return False
    headers = [header for header in message.headers if header.kind != DELETED]
    address = context.address
    own = f"{address.local_part_cased or address.local_part}@{address.domain}"
    to_names, from_names = {own.lower()}, {own.lower()}
    if context.config.rewrite_rules:
        from eximious.rewrite.engine import rewrite

        rules = context.config.rewrite_rules
        to_names.add(rewrite(own, "t", rules, context).address.lower())
        from_names.add(rewrite(own, "f", rules, context).address.lower())
    for alias in aliases:
        to_names.add(alias.lower())
        from_names.add(alias.lower())
    return (
        not any(_is_of_program(header) for header in headers)
        and any(name in to_names for name in _addresses(headers, "to", "cc", "bcc"))
        and not any(name in from_names for name in _addresses(headers, "from", "reply-to"))
        and not any(PROGRAMS.match(name) for name in _addresses(headers, "from"))
    )


def _is_of_program(header: Header) -> bool:
    name = header.name.lower()
    value = header.text.partition(":")[2].strip().lower()
    if name == "precedence":
        return any(word in value for word in BULK)
    if name == "auto-submitted":
        return value != "no"
    return name.startswith("list-")


def _addresses(headers: list[Header], *names: str) -> list[str]:
    """The addresses in these headers, in lower case."""
    found = []
    for header in headers:
        if header.name.lower() in names:
            for item in parse_list(header.text.partition(":")[2]):
                if item.parsed is not None:
                    found.append(item.parsed.address.lower())
    return found

"""Addresses in a header line: qualified and rewritten where they stand, everything else left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.address.header_list import ListItem, parse_list
from eximious.address.rules import address_rules
from eximious.octets import SPACE
from eximious.rewrite.engine import Rewritten, rewrite
from eximious.spool.message import DELETED, Header

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.rewrite.rules import RewriteRule
    from eximious.spool.message import Message

WITH_ADDRESSES: Final = "BCFRST"  # kinds of headers: Bcc, Cc, From, Reply-To, Sender, To, and their Resent- forms
LONG: Final = 38  # octets after which a changed line is broken behind the address that was changed
LARGEST: Final = 1_000_000  # octets of a header that is looked into


def rewrite_header(text: str, kind: str, context: Context, qualify_domain: str = "") -> str:
    """The header with its addresses rewritten by the configuration's rules, after qualifying them if there is a domain.

    `kind` is the header's kind in -H files. What is no address is logged, and left.
    """
    rules: list[RewriteRule] = context.config.rewrite_rules
    return change_addresses(text, kind, rules, context, qualify_domain)


def change_addresses(
    text: str,
    kind: str,
    rules: list[RewriteRule],
    context: Context,
    qualify_domain: str = "",
    *,
    logs_errors: bool = True,
) -> str:
    """The same by any list of rules."""
    if kind not in WITH_ADDRESSES or len(text) > LARGEST:
        return text
    place = kind.lower()
    applicable = [rule for rule in rules if place in rule.places]
    if not applicable and not qualify_domain and not logs_errors:
        return text

    def change(item: ListItem) -> tuple[int, int, str] | None:
        parsed = item.parsed
        if parsed is None:
            if logs_errors:
                context.services.logs.main(f"qualify/rewrite: {item.error}", context.message.id)
            return None
        start, end = item.offset + parsed.start, item.offset + parsed.end
        address = parsed.address
        if parsed.at < 0:
            if not qualify_domain:
                return None
            address = f"{address}@{qualify_domain}"
        rewritten = rewrite(address, place, applicable, context) if applicable else Rewritten(address)
        whole = rewritten.whole(context)
        if whole is not None:
            return item.offset, item.end, whole
        return None if rewritten.address == parsed.address else (start, end, rewritten.address)

    return replace_items(text, change, context)


def replace_items(text: str, change: object, context: Context) -> str:
    """The header with items replaced: `change` gives, for an item of the list, what stretch of it becomes what.

    A line that has become long is broken behind the address that was replaced, if others follow.
    """
    assert callable(change)
    name, colon, value = text.partition(":")
    out = name + colon
    done = 0
    line_start = 0  # in `out`; only lines that are broken here count as lines
    for item in parse_list(value, address_rules(context)):
        changed = change(item)
        if changed is None:
            continue
        start, end, new = changed
        route = value.rfind("<@", item.offset, start)
        if route >= 0:
            start = route + 1  # a source route goes with the address that it leads to
        if start == item.offset:
            # The whole item: keep the white space before it.
            start += len(value[start:end]) - len(value[start:end].lstrip(SPACE))
            end = start + len(value[start:end].rstrip(SPACE))
        out += value[done:start] + new + value[end : item.end]
        done = item.end
        if len(out) - line_start > LONG and value[done : done + 1] == ",":
            rest = done + 1
            while value[rest : rest + 1] in (" ", "\t"):
                rest += 1
            if value[rest : rest + 1] not in ("", "\n"):
                out += value[done:rest]
                line_start = len(out)
                out += "\n\t"
                done = rest
    return text if not done else out + value[done:]


def change_domain_in_headers(message: Message, old: str, new: str, context: Context) -> None:
    """Put the new domain in place of the old one in all header lines with addresses."""

    def change(item: ListItem) -> tuple[int, int, str] | None:
        parsed = item.parsed
        if parsed is None or parsed.domain.lower() != old.lower():
            return None
        return item.offset + parsed.start, item.offset + parsed.end, f"{parsed.local_part}@{new}"

    for position in range(len(message.headers) - 1, -1, -1):
        header = message.headers[position]
        if header.kind in WITH_ADDRESSES and len(header.text) <= LARGEST:
            text = replace_items(header.text, change, context)
            if text != header.text:
                message.headers.insert(position + 1, Header(text, header.kind))
                header.kind = DELETED

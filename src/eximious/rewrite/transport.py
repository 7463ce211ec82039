"""Rewriting at transport time: ``headers_rewrite``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config.lists import split
from eximious.rewrite.header import WITH_ADDRESSES, change_addresses
from eximious.rewrite.rules import RewriteRule, parse_rule
from eximious.spool.message import Header

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.errors import Place
    from eximious.transports.base import Transport


def transport_rules(text: str, place: Place | None = None) -> list[RewriteRule]:
    """The rules of a ``headers_rewrite`` option. Raises ConfigError."""
    items = [item for item in split(text) if item]
    return [parse_rule(item, number, place, is_for_transport=True) for number, item in enumerate(items, 1)]


def rewrite_headers(transport: Transport, headers: list[Header], context: Context) -> list[Header]:
    """The headers as the transport sends them; those that do not change are the same objects."""
    if transport.headers_rewrite is None:
        return headers
    rules: list[RewriteRule] | None = transport.__dict__.get("rewrite_rules")
    if rules is None:
        rules = transport.__dict__["rewrite_rules"] = transport_rules(transport.headers_rewrite)
    return [_rewritten(header, rules, context) for header in headers]


def _rewritten(header: Header, rules: list[RewriteRule], context: Context) -> Header:
    if header.kind not in WITH_ADDRESSES:
        return header
    text = change_addresses(header.text, header.kind, rules, context, logs_errors=False)
    return header if text == header.text else Header(text, header.kind)

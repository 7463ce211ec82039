"""Whether a connection may be served now: the limits of ``smtp_accept_max`` and its relatives.

Exim specification, smtp_accept_max, smtp_accept_max_per_host, smtp_accept_reserve, smtp_accept_queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import Defer, ExpandError

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.daemon.connections import ConnectionTable

MANY = "Too many concurrent SMTP connections; please try again later."
MANY_FROM_HOST = "Too many concurrent SMTP connections from this IP address; please try again later."


class TooMany(Exception):
    """The client is turned away with `str()` behind a 421; `log` is the log line."""

    def __init__(self, reply: str, log: str) -> None:
        super().__init__(reply)
        self.log = log


def too_many(address: str) -> TooMany:
    """There are too many connections, whoever they are from."""
    return TooMany(MANY, f"Connection from [{address}] refused: too many connections")


def check(context: Context, table: ConnectionTable) -> None:
    """Raise TooMany if the client, who is counted already, is one too many."""
    main = context.config.main
    address = context.client.host_address
    shown = f"[{address}]"
    total = table.total()
    if main.smtp_accept_max > 0:
        if total > main.smtp_accept_max:
            raise too_many(address)
        reserve = main.smtp_accept_reserve
        if reserve > 0 and total > main.smtp_accept_max - reserve and not _is_reserved(context):
            counts = f"connected={total - 1} max={main.smtp_accept_max} reserve={reserve}"
            raise TooMany(MANY, f"Connection from {shown} refused: not in reserve list: {counts}")
    limit = host_limit(context)
    if 0 < limit < table.from_host(address):
        raise TooMany(MANY_FROM_HOST, f"Connection from {shown} refused: too many connections from that IP address")


def _is_reserved(context: Context) -> bool:
    hosts = context.config.main.smtp_reserve_hosts
    try:
        return hosts is not None and hosts.match(context.client, context) is not None
    except Defer:
        return False


def host_limit(context: Context) -> int:
    """How many connections this client's host may have; 0 for no limit. What cannot be told is no limit, and logged."""
    setting = context.config.main.smtp_accept_max_per_host
    if setting is None:
        return 0
    try:
        text = setting.expand(context).strip()
    except (ExpandError, Defer) as error:
        _complain(context, f"failed: {error}")
        return 0
    if text.isascii() and text.isdigit():
        return int(text)
    _complain(context, f"contains non-digit: {text}")
    return 0


def _complain(context: Context, what: str) -> None:
    address = context.client.host_address
    context.services.logs.panic(f"expansion of smtp_accept_max_per_host for [{address}] {what}")

"""Host lists in main options, as they concern the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.errors import Defer, ExpandError

if TYPE_CHECKING:
    from eximious.context import Context

# Lists that are asked once for each connection, when it begins; in Exim's order.
AT_START: Final = (
    "sender_unqualified_hosts",
    "recipient_unqualified_hosts",
    "helo_verify_hosts",
    "helo_try_verify_hosts",
    "helo_accept_junk_hosts",
)
ONCE: Final = frozenset({"hosts_connection_nolog", "host_lookup", "host_reject_connection", *AT_START})


def is_in(context: Context, option: str) -> bool:
    """True if the client is in the host list that this main option holds. What cannot be told now counts as no."""
    hosts = getattr(context.config.main, option)
    trace = context.trace
    if hosts is None:
        if trace is not None:
            trace.acl(f"host in {option}? no (option unset)")
        return False
    try:
        found = hosts.match(context.client, context) is not None
    except (Defer, ExpandError) as error:
        context.services.logs.main(f"host list {option}: {error}")
        found = False
    if trace is not None:
        trace.acl(f"host in {option}? {'yes' if found else 'no'}")
    return found

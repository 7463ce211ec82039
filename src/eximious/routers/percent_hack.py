"""``percent_hack_domains``: ``user%domain@here`` means ``user@domain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.address.parse import split
from eximious.errors import Defer, ExpandError
from eximious.routers.outcome import Deferred
from eximious.routers.self_action import successor

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context

MOST_PERCENTS: Final = 5  # of one address that are looked at


def without_percent(address: Address, context: Context) -> Address | None:
    """The address to be routed in its place; None if the hack does not apply."""
    domains = context.config.main.percent_hack_domains
    if domains is None or "%" not in address.local_part_cased:
        return None
    local_part, domain = split(address.address)
    for _ in range(MOST_PERCENTS):
        try:
            applies = "%" in local_part and domains.match(domain, context) is not None
        except (Defer, ExpandError) as error:
            raise Deferred(f"percent_hack_domains: {error}") from error
        if not applies:
            break
        local_part, _, domain = local_part.rpartition("%")
    text = f"{local_part}@{domain}"
    return None if text == address.address else successor(address, text)

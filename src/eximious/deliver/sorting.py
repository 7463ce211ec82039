"""remote_sort_domains: the order of remote deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eximious.config.lists import split
from eximious.errors import Defer
from eximious.lists.domain import compile as compile_domains

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context


def by_domains(addresses: list[Address], domains: Any, context: Context) -> list[Address]:
    """Addresses whose domains match the first item of the list come first, and so on; the others come last."""
    items = [compile_domains(item) for item in split(domains.source)]

    def rank(address: Address) -> int:
        for number, item in enumerate(items):
            try:
                if item.match(address.domain, context) is not None:
                    return number
            except Defer:
                continue
        return len(items)

    return sorted(addresses, key=rank)

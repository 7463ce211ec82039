"""The resolver's options that need more than it knows: domain lists, which it may ask, and a log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from eximious.errors import Defer, ExpandError

if TYPE_CHECKING:
    from eximious.dns.resolver import Resolver
    from eximious.lists.domain import DomainList
    from eximious.services import Services


def attach(resolver: Resolver, services: Services) -> None:
    """Give the resolver those that are set."""
    main = services.config.main
    resolver.again_means_nonexist = _test("dns_again_means_nonexist", main.dns_again_means_nonexist, services)
    resolver.trust_aa = _test("dns_trust_aa", main.dns_trust_aa, services)
    resolver.ipv4_only = _test("dns_ipv4_lookup", main.dns_ipv4_lookup, services)
    if main.slow_lookup_log:
        resolver.slow_seconds = main.slow_lookup_log / 1000
        resolver.log = lambda text: services.logs.main(text)


def _test(option: str, domains: DomainList | None, services: Services) -> Callable[[str], bool] | None:
    if domains is None:
        return None

    being_tested: set[str] = set()

    def test(domain: str) -> bool:
        from eximious.context import Context

        if domain in being_tested:  # the list itself asks the DNS about the domain
            return False
        being_tested.add(domain)
        # A context of its own: what the list looks at must not disturb whoever asks.
        try:
            return domains.match(domain, Context(services.config, services)) is not None
        except (Defer, ExpandError) as error:
            services.logs.main(f"domain list {option}: {error}")
            return False
        finally:
            being_tested.discard(domain)

    return test

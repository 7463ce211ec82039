"""Looking up the hosts that a router lists, and what becomes of the address when one of them has no address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.routers.host_finder import Found, HostFinder, as_address
from eximious.routers.outcome import Decision, Routing, decline
from eximious.routers.self_action import meet_self

if TYPE_CHECKING:
    from eximious.address.delivery import Address, Host
    from eximious.context import Context
    from eximious.routers.base import Router

UNKNOWN_HOST = -32  # the error number, as Exim logs it


class HostSearch:
    """One search for the hosts of one list."""

    def __init__(self, router: Router, address: Address, context: Context) -> None:
        self.router = router
        self.address = address
        self.context = context
        self.by = ""  # "byname", "bydns", or "" for DNS first and then by name
        self.families = ""  # "ipv4_only" or "ipv4_prefer"
        self.on_failure = "freeze"  # host_find_failed
        self.on_all_ignored = "defer"  # host_all_ignored
        self.hosts: list[Host] = []  # what was found

    def find_all(self, listed: list[Host]) -> Routing | None:
        """Look up all hosts; None if `hosts` is what the transport shall use, else what the router says."""
        sends_to_self = False  # ``self = send`` has been applied
        for host in listed:
            finder = finder_for(self.router, self.context)
            finder.ipv4_only = self.families == "ipv4_only"
            finder.ipv4_prefer = self.families == "ipv4_prefer"
            found, hosts = self._find(finder, host)
            if found is Found.LOCAL and not sends_to_self:
                if self.hosts:
                    break  # this host, and all that come after it, are left out
                answer = meet_self(self.router, self.address, hosts[0], self.context)
                if answer is not None:
                    return answer
                sends_to_self = True
            elif found is Found.AGAIN:
                if self.router.pass_on_timeout:
                    return Routing(Decision.PASS)
                return Routing(Decision.DEFER, f"host lookup for {host.name} did not complete (DNS timeout?)")
            elif found is Found.INSECURE:
                return Routing(Decision.DEFER, f"host lookup for {host.name} done insecurely")
            elif found not in (Found.FOUND, Found.LOCAL):
                answer = self._failed(finder, host)
                if answer is not None:
                    return answer
                continue
            self.hosts.extend(hosts)
        return None if self.hosts else self._all_ignored()

    def _find(self, finder: HostFinder, host: Host) -> tuple[Found, list[Host]]:
        if host.name.lower().endswith("/mx"):
            host.name = host.name[:-3]
            finder.had_mx = False
            found, hosts = finder.by_mx(host.name, or_address=False)
            for each in hosts:
                each.port = host.port
            return found, hosts
        if self.by == "byname" or as_address(host.name) is not None:
            return finder.by_name(host)
        found, hosts = finder.by_dns(host)
        if found is Found.FAILED and self.by != "bydns":
            return finder.by_name(host)
        return found, hosts

    def _failed(self, finder: HostFinder, host: Host) -> Routing | None:
        """A host has no address; None if it is left out."""
        if self.on_failure == "ignore":
            return None
        self.address.errno = UNKNOWN_HOST
        reason = ": syntax error in name" if finder.syntax_error else ""
        return unfindable(self.on_failure, f'lookup of host "{host.name}" failed in {self.router.name} router{reason}')

    def _all_ignored(self) -> Routing:
        self.address.errno = UNKNOWN_HOST
        message = (
            f"lookup failed for all hosts in {self.router.name} router: "
            f"host_find_failed=ignore host_all_ignored={self.on_all_ignored}"
        )
        return unfindable(self.on_all_ignored, message)


def unfindable(setting: str, message: str) -> Routing:
    """What a router says under a setting of ``host_find_failed`` or ``host_all_ignored``."""
    if setting == "pass":
        return Routing(Decision.PASS)
    if setting == "decline":
        return decline()
    if setting == "fail":
        return Routing(Decision.FAIL, message)
    return Routing(Decision.DEFER, message, freeze=setting == "freeze")


def finder_for(router: Router, context: Context) -> HostFinder:
    """A finder under the router's generic options."""
    finder = HostFinder(context)
    finder.ignore_target_hosts = router.ignore_target_hosts
    finder.dnssec_request = router.dnssec_request_domains
    finder.dnssec_require = router.dnssec_require_domains
    return finder

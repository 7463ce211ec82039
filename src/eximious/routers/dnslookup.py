"""The dnslookup router: the mail exchangers of the domain. (Exim specification, chapter "The dnslookup router".)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config.option import option
from eximious.errors import ExpandError, ForcedFail
from eximious.routers.base import Router, routers
from eximious.routers.dns_query import in_ascii
from eximious.routers.handover import hand_over
from eximious.routers.host_finder import Found, HostFinder
from eximious.routers.host_search import finder_for
from eximious.routers.outcome import Decision, Deferred, Routing, decline
from eximious.routers.self_action import change_domain, meet_self

if TYPE_CHECKING:
    from eximious.address.delivery import Address, Host
    from eximious.config.values import StringList
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.lists.domain import DomainList

FALSE = ("", "0", "no", "false")


@routers.register("dnslookup")
class DnsLookup(Router):
    """Route to the hosts that the DNS names for the domain."""

    check_secondary_mx: bool = option(False, doc="Decline unless this host is among the less preferred ones.")
    check_srv: Template | None = option(None, doc="The service whose SRV records are looked for first.")
    fail_defer_domains: DomainList | None = option(None, doc="Domains to defer instead of declining them.")
    ipv4_only: Template | None = option(None, doc="Use A records only, if this expands to something true.")
    ipv4_prefer: Template | None = option(None, doc="Use A records before AAAA records, likewise.")
    mx_domains: DomainList | None = option(None, doc="Domains that need an MX or SRV record.")
    mx_fail_domains: DomainList | None = option(None, doc="Domains whose MX records count as absent after a DNS error.")
    qualify_single: bool = option(True, doc="Complete domains of one component as the system's resolver does.")
    rewrite_headers: bool = option(True, doc="Where a domain was completed, do so in the header lines too.")
    same_domain_copy_routing: bool = option(False, doc="Route one address of a domain as its others in the message.")
    search_parents: bool = option(False, doc="Search parent domains as the system's resolver does.")
    srv_fail_domains: DomainList | None = option(
        None, doc="Domains whose SRV records count as absent after a DNS error."
    )
    widen_domains: StringList | None = option(None, doc="What to append to the domain if it is not found.")

    def route(self, address: Address, context: Context) -> Routing:
        """Look up the domain, widened if need be."""
        finder = self._finder(context)
        found, hosts = self._search_widened(finder, address, context)
        if found is Found.AGAIN:
            if self.pass_on_timeout:
                return Routing(Decision.PASS)
            return Routing(Decision.DEFER, "host lookup did not complete")
        if found is Found.INSECURE:
            return Routing(Decision.DEFER, "host lookup done insecurely")
        if found in (Found.FAILED, Found.IGNORED):
            return self._not_found(finder, found, address, context)
        if self.check_secondary_mx and not finder.local_removed:
            return decline()
        if found is Found.LOCAL and not self.check_secondary_mx:
            answer = meet_self(self, address, hosts[0], context)
            if answer is not None:
                return answer
        elif found is Found.LOCAL:
            return decline()
        full_name = finder.full_name
        if "*" not in full_name and full_name.lower() not in (address.domain.lower(), in_ascii(address.domain).lower()):
            return change_domain(address, full_name, rewrite_headers=self.rewrite_headers, context=context)
        transport = hand_over(self, address, context)
        return Routing(Decision.ACCEPT, transport=transport, hosts=hosts)

    def _finder(self, context: Context) -> HostFinder:
        finder = finder_for(self, context)
        finder.qualify_single = self.qualify_single
        finder.search_parents = self.search_parents
        finder.mx_fail_domains = self.mx_fail_domains
        finder.srv_fail_domains = self.srv_fail_domains
        finder.ipv4_only = self._is_true(self.ipv4_only, "ipv4_only", context)
        finder.ipv4_prefer = self._is_true(self.ipv4_prefer, "ipv4_prefer", context)
        return finder

    def _is_true(self, template: Template | None, name: str, context: Context) -> bool:
        if template is None:
            return False
        try:
            return template.expand(context).strip().lower() not in FALSE
        except ForcedFail:
            return False
        except ExpandError as error:
            raise Deferred(f'failed to expand "{template.source}" for {name}: {error}') from error

    def _search_widened(self, finder: HostFinder, address: Address, context: Context) -> tuple[Found, list[Host]]:
        """The first of the domain and its widened forms that is found."""
        found, hosts = self._search(finder, address.domain, context)
        # A sender cannot be widened while it is verified, since header lines would have to change with it.
        widens = self.widen_domains and not (context.facts.get("routing") == "S" and self.rewrite_headers)
        if found is not Found.FAILED or not widens or finder.no_service:
            return found, hosts
        for suffix in self.widen_domains or ():
            domain = f"{address.domain}.{suffix}"
            found, hosts = self._search(finder, domain, context)
            if found is not Found.FAILED:
                return found, hosts
        return found, hosts

    def _search(self, finder: HostFinder, domain: str, context: Context) -> tuple[Found, list[Host]]:
        finder.full_name = ""
        service = self._service(context)
        if service is not None:
            answer = finder.by_srv(domain, service)
            if answer is not None:
                finder.full_name = domain
                return answer
        needs_mx = self.mx_domains is not None and self.mx_domains.match(domain, context) is not None
        return finder.by_mx(domain, or_address=not needs_mx)

    def _service(self, context: Context) -> str | None:
        if self.check_srv is None:
            return None
        try:
            return self.check_srv.expand(context)
        except ForcedFail:
            return None
        except ExpandError as error:
            message = f'{self.name} router: failed to expand "{self.check_srv.source}": {error}'
            raise Deferred(message) from error

    def _not_found(self, finder: HostFinder, found: Found, address: Address, context: Context) -> Routing:
        message = _explanation(finder, found, context)
        defers = self.fail_defer_domains
        if defers is not None and defers.match(address.domain, context) is not None:
            return Routing(Decision.DEFER, message)
        return decline(message, _for_people(finder, address))


def _for_people(finder: HostFinder, address: Address) -> str | None:
    """The explanation for whoever wrote the message."""
    if not finder.had_address_mx:
        return None
    return (
        f"It appears that the DNS operator for {address.domain}\n"
        "has installed an invalid MX record with an IP address\n"
        "instead of a domain name on the right hand side."
    )


def _explanation(finder: HostFinder, found: Found, context: Context) -> str:
    """Why the domain cannot be used; "" if there is no more to say than that it does not exist."""
    if finder.no_service:
        return "an MX or SRV record indicated no SMTP service"
    if found is Found.FAILED and finder.had_mx:
        message = "all relevant MX records point to non-existent hosts"
        if not context.config.main.allow_mx_to_ip:
            # Only where an address stands in place of a name is that worth saying.
            return message + (" or (invalidly) to IP addresses" if finder.had_address_mx else "")
        return message
    return ""

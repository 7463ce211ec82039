"""Main options about host names, DNS and callouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config.option import Options, option

if TYPE_CHECKING:
    from eximious.config.values import Seconds, StringList
    from eximious.expand.template import Template
    from eximious.lists.domain import DomainList
    from eximious.lists.host import HostList


class DnsOptions(Options):
    """Looking up hosts, and what is remembered about callouts."""

    callout_domain_negative_expire: Seconds = option("3h", doc="How long a refusal of a whole domain is remembered.")
    callout_domain_positive_expire: Seconds = option("7d", doc="How long it is remembered that a domain answers.")
    callout_negative_expire: Seconds = option("2h", doc="How long a refusal of an address is remembered.")
    callout_positive_expire: Seconds = option("24h", doc="How long the acceptance of an address is remembered.")
    callout_random_local_part: Template = option(
        "$primary_hostname-$tod_epoch-testing", doc="A local part that should not exist anywhere."
    )
    dns_again_means_nonexist: DomainList | None = option(
        None, doc="A temporary DNS error for these domains means that they do not exist."
    )
    dns_check_names_pattern: str | None = option(
        r"(?i)^(?>(?(1)\.|())[^\W](?>[a-z0-9/_-]*[^\W])?)+(\.?)$",
        doc="Names that do not match are not looked up; empty to look up everything.",
    )
    dns_cname_loops: int = option(1, doc="How many CNAME records to follow that the resolver did not follow.")
    dns_csa_search_limit: int = option(5, doc="How many parent domains to try for client SMTP authorisation.")
    dns_csa_use_reverse: bool = option(True, doc="Look address literals up in the reverse DNS for CSA.")
    dns_dnssec_ok: int = option(-1, doc="Ask for DNSSEC: 1 yes, 0 no, -1 as the resolver's configuration says.")
    dns_ipv4_lookup: DomainList | None = option(None, doc="Domains for which no AAAA records are looked up.")
    dns_retrans: Seconds = option("0s", doc="Wait before a DNS query is repeated; 0 for the resolver's default.")
    dns_retry: int = option(0, doc="How often a DNS query is repeated; 0 for the resolver's default.")
    dns_trust_aa: DomainList | None = option(None, doc="Domains whose authoritative answers count as validated.")
    dns_use_edns0: int = option(-1, doc="Use EDNS0: 1 yes, 0 no, -1 as the resolver's configuration says.")
    host_lookup: HostList | None = option(None, doc="Clients whose name is looked up when they connect.")
    host_lookup_order: StringList = option("bydns:byaddr", doc="How the name of a client is looked up.")
    hosts_treat_as_local: DomainList | None = option(None, doc="Host names that count as this host.")
    rfc1413_hosts: HostList | None = option("@[]", doc="Clients that are asked with the ident protocol.")

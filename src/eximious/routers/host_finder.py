"""Finding hosts: the addresses of a name, the mail exchangers and SRV targets of a domain, which of them are this host.

Exim specification, chapters "The dnslookup router" and "The manualroute router"; RFC 5321 §5.1, RFC 2782, RFC 7505.
"""

from __future__ import annotations

import ipaddress
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from eximious.address.delivery import Host
from eximious.dns.answer import Answer, Status
from eximious.lists.this_host import is_local_address

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.lists.domain import DomainList
    from eximious.lists.host import HostList

MOST_HOSTS: Final = 256  # hosts and addresses of one domain that are looked at

# `Host.status` and `Host.why` of hosts that cannot be used.
UNUSABLE: Final = 1
FAILED: Final = "failed"
DEFERRED: Final = "deferred"
IGNORED: Final = "ignored"
INSECURE: Final = "insecure"


class Found(Enum):
    """What a search came to."""

    FOUND = "found"
    LOCAL = "local"  # the first host is this one
    FAILED = "failed"  # there is none
    AGAIN = "again"  # cannot be known now
    IGNORED = "ignored"  # all addresses are in ignore_target_hosts
    INSECURE = "insecure"  # DNSSEC was required


class HostFinder:
    """Searches under one set of options; those of a router or a transport."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.ignore_target_hosts: HostList | None = None
        self.dnssec_request: DomainList | None = None
        self.dnssec_require: DomainList | None = None
        self.ipv4_only = False
        self.ipv4_prefer = False
        self.qualify_single = True
        self.search_parents = False
        self.mx_fail_domains: DomainList | None = None
        self.srv_fail_domains: DomainList | None = None
        # What the last search found out besides.
        self.full_name = ""  # the name in full, as the DNS has it
        self.local_removed = False  # this host was among the less preferred ones
        self.syntax_error = False  # the name cannot be one
        self.no_service = False  # the domain says that it takes no mail
        self.had_address_mx = False  # ... some of them are IP addresses, where names should stand
        self.had_mx = False  # MX or SRV records exist, though their hosts may not

    # --- one host ---------------------------------------------------------------------------------------------------

    def by_dns(self, host: Host) -> tuple[Found, list[Host]]:
        """A host by its address records."""
        self.full_name = host.name
        found, hosts = self._addresses(host, keep_name=False)
        if found is Found.FOUND:
            return self.without_local(hosts)
        check = self.context.services.dns.check_name
        self.syntax_error = found is Found.FAILED and check is not None and not check(host.name)
        return found, hosts

    def by_name(self, host: Host) -> tuple[Found, list[Host]]:
        """A host by the system's own means (/etc/hosts and whatever else it asks); or by its IP address."""
        self.full_name = host.name
        self.syntax_error = False
        address = as_address(host.name)
        if address is not None:
            hosts = [_with_address(host, host.name, address)]
        else:
            found, hosts = self._ask_system(host)
            if found is not Found.FOUND:
                return found, hosts
        kept = [each for each in hosts if not self.is_ignored(each)]
        if not kept:
            return (Found.IGNORED if hosts else Found.FAILED), []
        return self.without_local(kept)

    def _ask_system(self, host: Host) -> tuple[Found, list[Host]]:
        from eximious.routers.host_names import look_up

        answer = look_up(host.name, self.context)
        if answer is None:
            return Found.AGAIN, []
        name, addresses = answer
        if not addresses:
            return Found.FAILED, []
        self.full_name = name
        return Found.FOUND, [_with_address(host, name, address) for address in addresses[:MOST_HOSTS]]

    # --- the hosts of a domain --------------------------------------------------------------------------------------

    def by_srv(self, domain: str, service: str) -> tuple[Found, list[Host]] | None:
        """The SRV targets for a service; None if the domain has none, so that MX records count."""
        answer = self._query(f"_{service}._tcp.{domain}", "SRV")
        if self._is_broken(answer, domain, self.srv_fail_domains):
            return Found.AGAIN, []
        if not answer:
            return None
        targets = answer.data()
        if len(targets) == 1 and targets[0][3] in ("", "."):
            self.no_service = True
            return Found.FAILED, []
        from eximious.routers.srv import in_order

        return self._resolve_all(in_order(targets[:MOST_HOSTS], self.context.services.random), answer)

    def by_mx(self, domain: str, *, or_address: bool) -> tuple[Found, list[Host]]:
        """The mail exchangers of a domain; its own addresses if it has none and `or_address` says that they count."""
        answer = self._query(domain, "MX")
        if self._is_broken(answer, domain, self.mx_fail_domains):
            return Found.AGAIN, []
        if not answer:
            return self.by_dns(Host(domain)) if or_address else (Found.FAILED, [])
        records = answer.data()
        self.had_mx = True
        if len(records) == 1 and records[0][1] in ("", "."):
            self.no_service = True
            return Found.FAILED, []
        return self._resolve_all(self._exchangers(records[:MOST_HOSTS]), answer)

    def _exchangers(self, records: list[tuple[int, str]]) -> list[Host]:
        """Hosts in order of preference, at random among equals; a host that is named twice counts once."""
        best: dict[str, Host] = {}
        for preference, name in records:
            known = best.get(name.lower())
            if known is None or known.mx is None or preference < known.mx:
                best[name.lower()] = Host(name, mx=preference)
        hosts = list(best.values())
        for host in hosts:
            host.sort_key = self.context.services.random.randrange(1000)
        hosts.sort(key=lambda host: (host.mx, host.sort_key))
        return hosts

    def _resolve_all(self, targets: list[Host], answer: Answer) -> tuple[Found, list[Host]]:
        """The addresses of all targets; the ones without stay in the list as unusable, to be shown."""
        self.had_mx = True
        self.full_name = self.full_name or answer.name
        if self._must_be_secure(answer.name) and not answer.is_secure:
            return Found.INSECURE, []
        hosts: list[Host] = []
        for target in targets:
            found, addressed = self._addresses(target, keep_name=True)
            if found is Found.FOUND:
                hosts.extend(addressed)
            else:
                target.status, target.why = UNUSABLE, WHY[found]
                hosts.append(target)
        if all(host.status == UNUSABLE for host in hosts):
            return self._nothing_usable(hosts), hosts
        found, kept = self.without_local(_without_repeated(hosts))
        if found is Found.FOUND and all(host.status == UNUSABLE for host in kept):
            return self._nothing_usable(kept), kept
        return found, kept

    @staticmethod
    def _nothing_usable(hosts: list[Host]) -> Found:
        reasons = {host.why for host in hosts}
        for reason, found in ((DEFERRED, Found.AGAIN), (INSECURE, Found.INSECURE), (IGNORED, Found.IGNORED)):
            if reason in reasons:
                return found
        return Found.FAILED

    # --- addresses --------------------------------------------------------------------------------------------------

    def _addresses(self, host: Host, *, keep_name: bool) -> tuple[Found, list[Host]]:
        """One host for each address of the name."""
        literal = as_address(host.name)
        if literal is not None:
            if keep_name and not self.context.config.main.allow_mx_to_ip:
                self.had_address_mx = True
                return Found.FAILED, []
            hosts = [_with_address(host, host.name, literal)]
            return (Found.IGNORED, []) if self.is_ignored(hosts[0]) else (Found.FOUND, hosts)
        answers = [self._query(host.name, kind) for kind in self._families(host.name)]
        hosts = []
        full_name = ""
        for answer in answers:
            if answer:
                full_name = full_name or _unaliased(answer)
                hosts.extend(self._hosts_of(host, answer))
        if not hosts:
            is_open = any(answer.status in (Status.AGAIN, Status.FAIL) for answer in answers)
            return (Found.AGAIN if is_open else Found.FAILED), []
        if self._must_be_secure(host.name) and not all(answer.is_secure for answer in answers if answer):
            return Found.INSECURE, []
        if full_name and not keep_name:
            self.full_name = full_name
        kept = [each for each in hosts[:MOST_HOSTS] if not self.is_ignored(each)]
        return (Found.FOUND, kept) if kept else (Found.IGNORED, [])

    def _hosts_of(self, host: Host, answer: Answer) -> list[Host]:
        """The addresses of one family, in random order."""
        addresses = answer.data()
        self.context.services.random.shuffle(addresses)
        hosts = []
        for address in addresses:
            found = _with_address(host, answer.name or host.name, address)
            found.dnssec = answer.is_secure
            hosts.append(found)
        return hosts

    def _families(self, name: str) -> list[str]:
        """The kinds of address records to ask for, in the order in which their hosts are tried."""
        main = self.context.config.main
        if main.disable_ipv6 or self.ipv4_only or _matches(main.dns_ipv4_lookup, name, self.context):
            return ["A"]
        return ["A", "AAAA"] if self.ipv4_prefer else ["AAAA", "A"]

    def _query(self, name: str, kind: str) -> Answer:
        from eximious.routers.dns_query import query

        return query(self, name, kind)

    def _must_be_secure(self, name: str) -> bool:
        return _matches(self.dnssec_require, name, self.context)

    def _is_broken(self, answer: Answer, domain: str, excused: DomainList | None) -> bool:
        """True if the question has no answer, and that matters."""
        return answer.status in (Status.AGAIN, Status.FAIL) and not _matches(excused, domain, self.context)

    def is_ignored(self, host: Host) -> bool:
        """True if the host's address is in ``ignore_target_hosts``."""
        return is_ignored(self.ignore_target_hosts, host, self.context)

    # --- this host --------------------------------------------------------------------------------------------------

    def without_local(self, hosts: list[Host]) -> tuple[Found, list[Host]]:
        """The hosts that are tried before this one would be; LOCAL if this one is among the first."""
        for position, host in enumerate(hosts):
            if not self.is_local(host):
                continue
            better = [other for other in hosts[:position] if _precedes(other, host)]
            if not better:
                return Found.LOCAL, hosts[position:]
            self.local_removed = True
            return Found.FOUND, better
        return Found.FOUND, hosts

    def is_local(self, host: Host) -> bool:
        """True if the host is this one, by address or because the configuration says so."""
        treated = self.context.config.main.hosts_treat_as_local
        if treated is not None and _matches(treated, host.name, self.context):
            return True
        return host.address == "0.0.0.0" or (bool(host.address) and is_local_address(host.address, self.context))


WHY: Final = {
    Found.FAILED: FAILED,
    Found.AGAIN: DEFERRED,
    Found.IGNORED: IGNORED,
    Found.INSECURE: INSECURE,
    Found.LOCAL: FAILED,
}


def _precedes(other: Host, local: Host) -> bool:
    """True if a host is more preferred than the local one."""
    return other.mx is not None and local.mx is not None and other.mx < local.mx


def _with_address(host: Host, name: str, address: str) -> Host:
    found = Host(name, address, host.port, host.mx)
    found.sort_key = host.sort_key
    found.asked_name = host.asked_name or (host.name if host.name.lower() != name.lower() else "")
    return found


def _without_repeated(hosts: list[Host]) -> list[Host]:
    """Each address once, where it is most preferred."""
    seen: set[tuple[str, int]] = set()
    kept = []
    for host in hosts:
        key = (host.address, host.port)
        if host.address and key in seen:
            continue
        seen.add(key)
        kept.append(host)
    return kept


def _unaliased(answer: Answer) -> str:
    """The full form of the name that was asked for, not what it is an alias of."""
    return answer.aliases[0] if answer.aliases else answer.name


def _matches(domains: Any, name: str, context: Context) -> bool:
    return domains is not None and domains.match(name, context) is not None


def as_address(text: str) -> str | None:
    """The text if it is an IP address, else None."""
    if "%" in text or not (":" in text or text[:1].isdigit()):
        return None
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return None
    return text


def is_ignored(ignored: HostList | None, host: Host, context: Context) -> bool:
    """True if the host's address is on the list; $host_address is the address while the list is looked at."""
    if ignored is None:
        return False
    before, context.host = context.host, host
    try:
        return ignored.match(host.address, context) is not None
    finally:
        context.host = before

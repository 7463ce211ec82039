"""The ipliteral router: ``user@[192.0.2.1]`` goes to that address. (Chapter "The ipliteral router".)"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from eximious.address.delivery import Host
from eximious.lists.this_host import is_local_address
from eximious.routers.base import Router, routers
from eximious.routers.handover import hand_over
from eximious.routers.host_finder import is_ignored
from eximious.routers.outcome import Decision, Routing, decline
from eximious.routers.self_action import meet_self

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context


@routers.register("ipliteral")
class IpLiteral(Router):
    """Route a domain literal to the host that has the address."""

    def route(self, address: Address, context: Context) -> Routing:
        """Accept if the domain is a literal, of an address that is not ignored."""
        ip = literal_address(address.domain)
        if ip is None or (":" in ip and context.config.main.disable_ipv6):
            return decline()
        host = Host(address.domain, ip)
        if is_ignored(self.ignore_target_hosts, host, context):
            return decline()
        if is_local_address(ip, context):
            answer = meet_self(self, address, host, context)
            if answer is not None:
                return answer
        transport = hand_over(self, address, context)
        return Routing(Decision.ACCEPT, transport=transport, hosts=[host])


def literal_address(domain: str) -> str | None:
    """The IP address in a domain literal of either family, or None."""
    if not domain.startswith("[") or not domain.endswith("]"):
        return None
    text = domain[1:-1]
    lowered = text.lower()
    for prefix in ("ipv6:", "ipv4:"):
        if lowered.startswith(prefix):
            text = text[len(prefix) :]
            break
    try:
        return str(ipaddress.ip_address(text)) if "%" not in text else None
    except ValueError:
        return None

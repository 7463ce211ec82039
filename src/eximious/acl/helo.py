"""Does the name that a client gave in HELO or EHLO belong to it? (Exim specification, ``helo_verify_hosts``.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.dns.answer import Status
from eximious.lists.host_name import look_up_client

if TYPE_CHECKING:
    from eximious.context import Context


def verify_helo(context: Context) -> bool | None:
    """True if the name is the client's, False if not, None if that cannot be told now. Asked once for each HELO."""
    client = context.client
    key = "helo_result"
    known = context.facts.get(key)
    if known is not None and known[0] == client.helo_name:
        answer: bool | None = known[1]
        return answer
    answer = _verify(context)
    context.facts[key] = (client.helo_name, answer)
    client.helo_verified = answer is True
    return answer


def _verify(context: Context) -> bool | None:
    client = context.client
    name = client.helo_name
    if not name:
        return False
    if name.startswith("["):
        literal = name[1:-1]
        return literal.removeprefix("IPv6:").removeprefix("IPV6:").lower() == client.host_address.lower()
    if name == client.host_address:
        return False  # an address without brackets is no name
    look_up_client(context)
    wanted = name.rstrip(".").lower()
    names = [client.host_name or "", *context.facts.get("host_aliases", ())]
    if any(one.lower() == wanted for one in names if one):
        return True
    answer = context.services.dns.hosts(name)
    if answer.status is Status.FOUND and client.host_address in answer.data():
        context.facts["sender_helo_dnssec"] = answer.is_secure
        return True
    return None if client.host_lookup_deferred else False

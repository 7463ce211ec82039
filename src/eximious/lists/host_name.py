"""The names of a client, found by a reverse lookup and confirmed by a forward one."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context

MOST_NAMES: Final = 20  # names of one address that are looked at
LONGEST_NAME: Final = 255


class Found:
    """What looking up an address came to: its confirmed names, the first of which is the host's."""

    __slots__ = ("is_deferred", "is_secure", "names", "why")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.is_deferred = False
        self.is_secure = False
        self.why = ""


def look_up_client(context: Context) -> str | None:
    """The client's name. Sets `host_name`, `host_dnssec`, `host_lookup_failed` or `host_lookup_deferred` of the client.

    A host without a name is not looked up again; one whose lookup was put off is.
    """
    client = context.client
    if client.host_name is not None or not client.host_address or client.host_lookup_failed:
        return client.host_name
    found = look_up(client.host_address, context)
    client.host_lookup_deferred = found.is_deferred
    client.host_lookup_failed = not found.names and not found.is_deferred
    if found.names:
        client.host_name = Tainted(found.names[0])
        client.host_dnssec = found.is_secure
        context.facts["host_aliases"] = found.names[1:]
    elif not found.is_deferred:
        context.facts["host_lookup_why"] = found.why
        if not found.why and "host_lookup_failed" in context.services.logs.selected:
            context.services.logs.main(f"no host name found for IP address {client.host_address}")
    return client.host_name


def look_up(address: str, context: Context) -> Found:
    """The confirmed names of an address, by the means that `host_lookup_order` names; none of what is no address."""
    from eximious.expand.ip import pack

    found = Found()
    if pack(address) is None:
        return found
    for means in context.config.main.host_lookup_order or ("bydns", "byaddr"):
        names = _by_dns(address, context, found) if means.strip().lower() == "bydns" else _by_system(address)
        if not names:
            continue
        found.names = [name for name in names[:MOST_NAMES] if _leads_back(name, address, context, found)]
        if found.names:
            found.is_deferred = False
            return found
        if not found.is_deferred:
            found.why = f"{address} does not match any IP address for {names[0]}"
        return found
    return found


def _by_dns(address: str, context: Context, found: Found) -> list[str]:
    from eximious.expand.ip import reverse_name

    answer = context.services.dns.query(reverse_name(address), "PTR")
    if answer.status.name in ("AGAIN", "FAIL"):
        found.is_deferred = True
        found.why = answer.why
        return []
    found.is_secure = answer.is_secure
    return [name for name in answer.data() if 0 < len(name) <= LONGEST_NAME]


def _by_system(address: str) -> list[str]:
    from eximious.waiting import in_thread

    try:
        name, aliases, _ = in_thread(socket.gethostbyaddr, address)
    except OSError:
        return []
    return [name, *aliases]


def _leads_back(name: str, address: str, context: Context, found: Found) -> bool:
    from eximious.expand.ip import pack

    answer = context.services.dns.hosts(name)
    if answer.status.name in ("AGAIN", "FAIL"):
        found.is_deferred = True
        found.why = answer.why
        return False
    wanted = pack(address)
    for one in [*answer.data(), *(() if answer else system_addresses(name))]:
        if pack(one) == wanted:
            found.is_secure = found.is_secure and answer.is_secure
            return True
    return False


def system_addresses(name: str) -> list[str]:
    """The addresses that the system (its hosts file) knows for a name which the DNS does not know."""
    from eximious.waiting import in_thread

    try:
        results = in_thread(socket.getaddrinfo, name, None, 0, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(result[4][0]) for result in results]

"""Host names as the system itself resolves them: /etc/hosts, the DNS, or whatever nsswitch.conf says."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from eximious.waiting import in_thread

if TYPE_CHECKING:
    from eximious.context import Context


def look_up(name: str, context: Context) -> tuple[str, list[str]] | None:
    """The name in full and its addresses, IPv6 first, none if it does not exist; None if that cannot be known now."""
    main = context.config.main
    only_4 = main.disable_ipv6 or (
        main.dns_ipv4_lookup is not None and main.dns_ipv4_lookup.match(name, context) is not None
    )
    family = socket.AF_INET if only_4 else socket.AF_UNSPEC
    try:
        found = in_thread(_ask, name, family)
    except socket.gaierror as error:
        return None if error.errno == socket.EAI_AGAIN else (name, [])
    except (OSError, UnicodeError):
        return name, []
    addresses: list[str] = []
    full_name = name
    for entry_family, _, _, canonical, sockaddr in found:
        full_name = canonical or full_name
        address = str(sockaddr[0]).partition("%")[0]
        if entry_family in (socket.AF_INET, socket.AF_INET6) and address not in addresses:
            addresses.append(address)
    addresses.sort(key=lambda address: ":" not in address)
    return full_name, addresses


def _ask(name: str, family: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    return socket.getaddrinfo(  # type: ignore[return-value]
        name, None, family, socket.SOCK_STREAM, flags=socket.AI_CANONNAME
    )

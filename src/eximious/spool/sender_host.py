"""The client as Received: headers name it: ``$sender_rcvhost``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.spool.message import Client


def says_more(helo: str, client: Client) -> bool:
    """True if the name from HELO tells something that the client's name and address do not."""
    helo = helo.lower()
    if not helo or (client.host_name and helo == client.host_name.lower()):
        return False
    if not (helo.startswith("[") and helo.endswith("]")):
        return True
    import socket

    family = socket.AF_INET6 if ":" in client.host_address else socket.AF_INET
    try:
        octets = socket.inet_pton(family, helo[1:-1].removeprefix("ipv4:").removeprefix("ipv6:"))
    except (OSError, ValueError):
        return True
    return octets != socket.inet_pton(family, client.host_address)


def received_host(client: Client, *, with_port: bool = False) -> str:
    """``name ([address] helo=... ident=...)``, or ``[address] (helo=...)`` for a client whose name is not known."""
    address = client.host_address
    if not address:
        return ""
    items: list[str] = []
    port = client.host_port if with_port else 0
    if client.host_name:
        first = client.host_name
        items.append(f"[{address}]:{port}" if port else f"[{address}]")
        if says_more(client.helo_name, client):
            items.append(f"helo={client.helo_name}")
    else:
        first = f"[{address}]"
        if port:
            items.append(f"port={port}")
        if says_more(client.helo_name, client):
            items.append(f"helo={client.helo_name}")
    if client.ident:
        items.append(f"ident={client.ident}")
    if not items:
        return first
    if client.host_name and len(items) == 3:
        return f"{first}\n\t({' '.join(items)})"
    return f"{first} ({' '.join(items)})"

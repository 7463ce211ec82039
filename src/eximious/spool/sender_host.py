"""The client as Received: headers name it: ``$sender_rcvhost``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.spool.message import Client


def without_kind(name: str) -> str:
    """The name from HELO in lower case, an address literal without the kind of its address."""
    name = name.lower()
    return f"[{name[6:]}" if name.startswith(("[ipv4:", "[ipv6:")) else name


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
        if client.helo_name and client.helo_name.lower() != client.host_name.lower():
            items.append(f"helo={client.helo_name}")
    else:
        first = f"[{address}]"
        if port:
            items.append(f"port={port}")
        if client.helo_name and without_kind(client.helo_name) != first.lower():
            items.append(f"helo={client.helo_name}")
    if client.ident:
        items.append(f"ident={client.ident}")
    if not items:
        return first
    if client.host_name and len(items) == 3:
        return f"{first} ({items[0]} {items[1]}\n\t{items[2]})"
    return f"{first} ({' '.join(items)})"

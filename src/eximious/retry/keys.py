"""The keys of retry hints: ``R:`` for routing, ``T:`` for transports.

They are Exim's, so that its utilities and people's habits work: ``R:example.org``, ``T:user@example.org``,
``T:mx.example.org:192.0.2.1:2525``, and with a message's id behind it for an error that is the message's own.
"""

from __future__ import annotations

from typing import Final

DEFAULT_PORT: Final = 25


def routing_key(domain: str) -> str:
    """For failures to route a domain, or one address of it (then `domain` is the whole address)."""
    return f"R:{_lower_domain(domain)}"


def local_key(address: str) -> str:
    """For failures to deliver locally to an address (or a domain)."""
    return f"T:{_lower_domain(address)}"


def recipient_key(address: str, sender: str | None) -> str:
    """For a recipient that a remote host refused for now; with a sender, for its messages only.

    It counts where the address is routed, so that nothing is tried for it before its time.
    """
    key = routing_key(address)
    return key if sender is None else f"{key}:<{sender.lower()}>"


def host_key(name: str, address: str, port: int, *, include_address: bool = True) -> str:
    """For a host that cannot be reached, or does not work. A name that is an address is in brackets."""
    key = f"T:[{name}]" if name == address else f"T:{name.lower()}"
    if include_address:
        key += f":{address}"
    return key if port in (0, DEFAULT_PORT) else f"{key}:{port}"


def message_key(key: str, message_id: str) -> str:
    """For a host that does not take one particular message."""
    return f"{key}:{message_id}"


def _lower_domain(text: str) -> str:
    local_part, at, domain = text.rpartition("@")
    return f"{local_part}{at}{domain.lower()}"

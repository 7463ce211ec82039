"""Which routers come to a transport."""

from __future__ import annotations

from typing import Any

from eximious.config.configuration import Configuration

# Options of routers that name a transport.
TRANSPORT_OPTIONS = ("transport", "directory_transport", "file_transport", "pipe_transport", "reply_transport")


def routers_of(config: Configuration, transport: str) -> list[Any]:
    """The routers that name the transport; a name that is expanded is not followed."""
    return [router for router in config.routers if transport in named_by(router)]


def named_by(router: Any) -> list[str]:
    """The transports that a router names."""
    return [router.given[option].text for option in TRANSPORT_OPTIONS if option in router.given]


def all_transports_known(config: Configuration) -> bool:
    """False if a router computes the name of its transport."""
    return not any("$" in name for router in config.routers for name in named_by(router))

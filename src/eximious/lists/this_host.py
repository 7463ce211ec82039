"""Which IP addresses are this host's. (Exim specification, section "Recognizing the local host".)"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.config.main import MainOptions
    from eximious.context import Context


def is_local_address(address: str, context: Context) -> bool:
    """True for an address of this host, as ``local_interfaces`` and ``extra_local_interfaces`` say."""
    return address in local_addresses(context)


def local_addresses(context: Context) -> set[str]:
    """The addresses of this host; the system is asked once for each context."""
    known: set[str] | None = context.facts.get("local_addresses")
    if known is None:
        known = context.facts["local_addresses"] = addresses_of_this_host(context.config.main)
    return known


def addresses_of_this_host(main: MainOptions) -> set[str]:
    """``local_interfaces``, where ``0.0.0.0`` and ``::0`` stand for all that are running, and the extra ones."""
    listed = [without_port(item) for item in main.local_interfaces]
    addresses = {address for address in listed if address not in ("0.0.0.0", "::0", "::")}
    wants_4 = "0.0.0.0" in listed
    wants_6 = "::0" in listed or "::" in listed
    if wants_4 or wants_6:
        addresses.update(one for one in _running() if (wants_6 if ":" in one else wants_4))
    addresses.update(without_port(item) for item in main.extra_local_interfaces or ())
    return addresses


def interface_addresses(context: Context) -> set[str]:
    """The addresses of all running interfaces, whatever the configuration says of them; asked once a context."""
    known: set[str] | None = context.facts.get("interface_addresses")
    if known is None:
        known = context.facts["interface_addresses"] = set(_running())
    return known


def _running() -> list[str]:
    from eximious.net.interfaces import running_addresses

    return running_addresses()


def without_port(item: str) -> str:
    """``[::1]:25`` and ``10.0.0.1.26`` without the port."""
    if item.startswith("["):
        return item[1:].partition("]")[0]
    return item.rpartition(".")[0] if item.count(".") == 4 else item

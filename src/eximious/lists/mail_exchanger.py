"""What part this host plays in the MX records of a domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import Defer
from eximious.lists.this_host import is_local_address

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.lists.host import HostList


def role_of_this_host(domain: str, ignored: HostList | None, context: Context) -> str:
    """``primary`` if an MX record of the lowest preference leads here, ``secondary`` if another one does, else "".

    Addresses on the `ignored` list do not count. Raises Defer if the DNS does not answer for now.
    """
    dns = context.services.dns
    answer = dns.mx(domain)
    if answer.status.name in ("AGAIN", "FAIL"):
        raise Defer(f'DNS lookup of "{domain}" (MX) failed: {answer.why}')
    lowest: int | None = None
    secondary = False
    for preference, name in answer.data():
        lowest = preference if lowest is None else lowest
        if secondary and preference != lowest:
            continue
        if _is_here(name, ignored, context):
            if preference == lowest:
                return "primary"
            secondary = True
    return "secondary" if secondary else ""


def _is_here(name: str, ignored: HostList | None, context: Context) -> bool:
    treated = context.config.main.hosts_treat_as_local
    if treated is not None and treated.match(name, context) is not None:
        return True
    for address in context.services.dns.hosts(name).data():
        if ignored is not None and ignored.match(address, context) is not None:
            continue
        if is_local_address(address, context):
            return True
    return False

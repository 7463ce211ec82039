"""``isip``, ``isip4``, ``isip6``: is it an IP address?"""

from __future__ import annotations

from eximious.expand.condition import condition
from eximious.expand.ip import ip_version


@condition("isip", 1)
def isip(text: str) -> bool:
    """An address of either kind."""
    return ip_version(text) != 0


@condition("isip4", 1)
def isip4(text: str) -> bool:
    """An IPv4 address."""
    return ip_version(text) == 4


@condition("isip6", 1)
def isip6(text: str) -> bool:
    """An IPv6 address."""
    return ip_version(text) == 6

"""translate_ip_address: other IP addresses in place of those that routing finds.

(Exim specification, chapter "Generic options for routers".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.address.delivery import Host
from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.octets import SPACE
from eximious.routers import host_names
from eximious.routers.host_finder import as_address
from eximious.routers.outcome import Deferred

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.template import Template


def translated(template: Template, hosts: list[Host], context: Context) -> list[Host]:
    """The hosts with the addresses that the option gives them. Raises Deferred."""
    return [other for host in hosts for other in _translate(template, host, context)]


def _translate(template: Template, host: Host, context: Context) -> list[Host]:
    before, context.host = context.host, host
    try:
        text = template.expand(context).strip(SPACE)
    except ForcedFail:
        return [host]
    except (ExpandError, Defer) as error:
        raise Deferred(f"translate_ip_address expansion failed: {error}") from error
    finally:
        context.host = before
    address = as_address(text)
    if address is not None:
        return [_at(host, host.name, address)]
    answer = host_names.look_up(text, context)
    if answer is None or not answer[1]:
        raise Deferred(f"host lookup for {text} failed")
    name, addresses = answer
    return [_at(host, name, each) for each in addresses]


def _at(host: Host, name: str, address: str) -> Host:
    other = Host(name, address, host.port, host.mx)
    other.sort_key, other.dnssec = host.sort_key, host.dnssec
    return other

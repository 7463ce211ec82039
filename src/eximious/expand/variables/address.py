"""Variables about the address that is checked, routed or delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.variable import variable
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context


def _like(address: Address, text: str) -> str:
    """Text taken from an address. Only one that the postmaster's data generated can be trusted.

    What stands in the place of an address (a pipe, a file) has its local part and domain from the one before.
    """
    while address.parent is not None and address.address[:1] in _NO_ADDRESS:
        address = address.parent
    return Tainted(text) if address.parent is None or address.address.__class__ is Tainted else text


_NO_ADDRESS = frozenset("|/>")


@variable
def local_part(address: Address) -> str:
    """The local part, without the prefix and suffix that a router removed."""
    return _like(address, address.local_part)


@variable
def domain(address: Address) -> str:
    """The domain, in lower case."""
    return _like(address, address.domain)


@variable
def local_part_data(address: Address) -> str | None:
    """What the list that matched the local part has for it: safe to use in paths."""
    return address.local_part_data


@variable
def domain_data(address: Address) -> str | None:
    """What the list that matched the domain has for it: safe to use in paths."""
    return address.domain_data


@variable
def local_part_prefix(address: Address) -> str:
    """The prefix that a router removed from the local part."""
    return _like(address, address.local_part_prefix)


@variable
def local_part_prefix_v(address: Address) -> str:
    """The part of that prefix that a wildcard matched."""
    return _like(address, address.local_part_prefix_v)


@variable
def local_part_suffix(address: Address) -> str:
    """The suffix that a router removed from the local part."""
    return _like(address, address.local_part_suffix)


@variable
def local_part_suffix_v(address: Address) -> str:
    """The part of that suffix that a wildcard matched."""
    return _like(address, address.local_part_suffix_v)


@variable
def address_data(address: Address) -> str | None:
    """What a router's address_data option said."""
    return address.address_data


@variable
def original_local_part(address: Address) -> str:
    """The local part of the recipient that this address stems from."""
    top = address.top
    return _like(top, top.local_part_cased if top is address else _local_part_of(top))


@variable
def original_domain(address: Address) -> str:
    """The domain of the recipient that this address stems from."""
    top = address.top
    return _like(top, top.domain)


@variable
def parent_local_part(address: Address) -> str:
    """The local part of the address that this one was generated from."""
    parent = address.parent
    return "" if parent is None else _like(parent, _local_part_of(parent))


def _local_part_of(address: Address) -> str:
    """The local part as it is written."""
    local_part, at, domain = address.address.rpartition("@")
    return local_part if at else domain


@variable
def parent_domain(address: Address) -> str:
    """The domain of the address that this one was generated from."""
    parent = address.parent
    return "" if parent is None else _like(parent, parent.domain)


@variable
def address_file(address: Address) -> str:
    """The file that a redirection named, for the address_file transport."""
    return address.redirected_file if "file" in address.flags else ""


@variable
def address_pipe(address: Address) -> str:
    """The command that a redirection named, for the address_pipe transport."""
    return address.redirected_file if "pipe" in address.flags else ""


@variable
def home(context: Context) -> str | None:
    """The home directory for this address."""
    return context.address.home_directory or context.facts.get("home")


@variable
def self_hostname(address: Address) -> str:
    """The name of the local host to which an address was routed as if it were remote."""
    return address.self_hostname


@variable
def local_user_uid(address: Address) -> str:
    """The uid that check_local_user found."""
    return str(address.uid if address.uid is not None else 2**32 - 1)


@variable
def local_user_gid(address: Address) -> str:
    """The gid that check_local_user found."""
    return str(address.gid if address.gid is not None else 2**32 - 1)


@variable
def return_path(context: Context) -> str:
    """The sender that the delivery of the address will show: that of the message, unless a router changed it."""
    changed = context.facts.get("return_path")  # by the transport that runs
    if changed is not None:
        return str(changed)
    address = context.address
    return address.return_path(context.message.sender if address.local_part or address.domain else "")


@variable
def router_name(context: Context) -> str:
    """The router that is running, or that accepted the address."""
    return context.router_name


@variable
def transport_name(context: Context) -> str:
    """The transport that is running."""
    return context.transport_name


@variable
def verify_mode(context: Context) -> str:
    """``S`` or ``R`` while a sender or recipient is verified."""
    return context.verifying


@variable
def host(context: Context) -> str | None:
    """The host that the transport talks to, or the first that the router found."""
    if context.host is not None:
        return str(context.host.name)
    hosts = context.address.host_list
    return hosts[0].name if hosts and context.transport_name else None


@variable
def host_address(context: Context) -> str | None:
    """The IP address of ``$host``."""
    return None if context.host is None else context.host.address


@variable
def host_port(context: Context) -> str | None:
    """The port of ``$host``."""
    return "0" if context.host is None else str(context.host.port)


@variable
def sending_ip_address(context: Context) -> str | None:
    """The local address of an outgoing connection."""
    return context.facts.get("sending_ip_address")


@variable
def sending_port(context: Context) -> str | None:
    """The local port of an outgoing connection."""
    return str(context.facts.get("sending_port", -1))


@variable
def inode(context: Context) -> str | None:
    """The inode of the file that appendfile is about to rename."""
    return str(context.facts.get("inode", 0))


@variable
def mailstore_basename(context: Context) -> str | None:
    """The name, without ending, of the files that a mailstore delivery writes."""
    return context.facts.get("mailstore_basename")


@variable
def thisaddress(context: Context) -> str | None:
    """The address at hand in a filter's foranyaddress."""
    return context.facts.get("thisaddress")

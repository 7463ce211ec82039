"""Variables about whoever gave us the message, and over which connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.expand.variable import variable
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.spool.message import Client


@variable
def sender_host_address(client: Client) -> str:
    """The client's IP address; empty for a message submitted locally."""
    return client.host_address


@variable
def sender_host_port(client: Client) -> str:
    """The client's port."""
    return str(client.host_port)


@variable
def sender_host_name(context: Context) -> str | None:
    """The client's verified name; asking for it looks it up."""
    client = context.client
    if client.host_name is None and client.host_address and not client.host_lookup_failed:
        from eximious.lists.host_name import look_up_client

        look_up_client(context)
    return client.host_name


@variable
def sender_host_dnssec(client: Client) -> str:
    """``yes`` if the client's name was found by authenticated DNS answers."""
    return "yes" if client.host_dnssec else "no"


@variable
def host_lookup_failed(client: Client) -> str:
    """``1`` if looking up the client's name found nothing."""
    return "1" if client.host_lookup_failed else "0"


@variable
def host_lookup_deferred(client: Client) -> str:
    """``1`` if the client's name could not be looked up for now."""
    return "1" if client.host_lookup_deferred else "0"


@variable
def sender_helo_name(client: Client) -> str:
    """What the client called itself in HELO or EHLO."""
    return client.helo_name


@variable
def sender_helo_verified(client: Client) -> str:
    """``yes`` if that name was verified, else ``no``."""
    return "yes" if client.helo_verified else "no"


@variable
def sender_helo_dnssec(context: Context) -> str:
    """``yes`` if that name was verified by authenticated DNS answers."""
    return "yes" if context.facts.get("sender_helo_dnssec") else "no"


@variable
def sender_ident(client: Client) -> str:
    """The client's answer to an ident query, or the login of a local submitter."""
    return client.ident


@variable
def sender_fullhost(context: Context) -> str:
    """Name and address of the client, as in log lines."""
    return Tainted(context.services.logs.fields.full_host(context.client))


@variable
def sender_rcvhost(context: Context) -> str:
    """Name and address of the client, as in Received: headers."""
    from eximious.spool.sender_host import received_host

    return Tainted(received_host(context.client, with_port="incoming_port" in context.services.logs.selected))


@variable
def sender_host_authenticated(client: Client) -> str:
    """The authenticator by which the client authenticated."""
    return client.authenticator_name


@variable
def authenticated_id(client: Client) -> str:
    """As whom the client authenticated."""
    return client.authenticated_id


@variable
def authenticated_fail_id(client: Client) -> str:
    """As whom the client failed to authenticate."""
    return client.authenticated_fail_id


@variable
def authentication_failed(context: Context) -> str:
    """``1`` after an attempt to authenticate that failed."""
    return "1" if context.facts.get("authentication_failed") else "0"


@variable
def received_ip_address(client: Client) -> str:
    """The local address that the client connected to."""
    return client.interface_address


@variable
def received_port(client: Client) -> str:
    """The local port that the client connected to."""
    return str(client.interface_port if client.interface_address else -1)


@variable
def interface_address(client: Client) -> str:
    """The older name of ``$received_ip_address``."""
    return client.interface_address


@variable
def interface_port(client: Client) -> str:
    """The older name of ``$received_port``."""
    return str(client.interface_port if client.interface_address else -1)


@variable
def smtp_active_hostname(context: Context) -> str:
    """The name that this server shows the client."""
    return context.client.active_host_name or context.config.main.primary_hostname

"""A moment to expand strings in, as the command line describes it: sender, recipient, client, message, variables."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

import click

from eximious.errors import did_you_mean
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context

_ACL_VARIABLE: Final = re.compile(r"acl_([cm](?:[0-9]|_)[A-Za-z0-9_]*)\Z")
# Variable -> part of the context, attribute, and whether its value comes from strangers.
SETTABLE: Final = {
    "address_data": ("address", "address_data", False),
    "authenticated_id": ("client", "authenticated_id", True),
    "domain": ("address", "domain", True),
    "domain_data": ("address", "domain_data", False),
    "home": ("address", "home_directory", False),
    "interface_address": ("client", "interface_address", False),
    "item": ("context", "item", False),
    "local_part": ("address", "local_part", True),
    "local_part_data": ("address", "local_part_data", False),
    "local_part_prefix": ("address", "local_part_prefix", True),
    "local_part_suffix": ("address", "local_part_suffix", True),
    "received_protocol": ("message", "received_protocol", False),
    "sender_helo_name": ("client", "helo_name", True),
    "sender_host_name": ("client", "host_name", True),
    "sender_ident": ("client", "ident", True),
    "value": ("context", "lookup_value", False),
}


class Moment:
    """What was said on the command line. Raises click.UsageError for what makes no sense."""

    def __init__(
        self, sender: str | None, recipient: str | None, client_ip: str | None, settings: tuple[str, ...]
    ) -> None:
        self.sender = None if sender is None else os.fsencode(sender).decode("latin-1")
        self.recipient = None if recipient is None else os.fsencode(recipient).decode("latin-1")
        self.client_ip = client_ip
        self.settings = [_setting(text) for text in settings]
        if client_ip is not None:
            import ipaddress

            try:
                self.client_ip = str(ipaddress.ip_address(client_ip))
            except ValueError:
                raise click.UsageError(f"{client_ip} is not an IP address") from None

    def enter(self, context: Context, descriptor: int | None) -> None:
        """Make the context such a moment; `descriptor` is that of a file with the message, which is closed."""
        if descriptor is not None:
            _read_message(context, descriptor)
        if self.sender is not None:
            context.message.sender = Tainted(self.sender.strip("<>"))
        if self.client_ip is not None:
            context.client.host_address = self.client_ip
        if self.recipient is not None:
            _set_recipient(context, self.recipient.strip("<>"))
        elif any(SETTABLE.get(name, ("",))[0] == "address" or name.startswith("r_") for name, _ in self.settings):
            _set_recipient(context, "")
        for name, value in self.settings:
            _set(context, name, value)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = os.fsencode(text).decode("latin-1").partition("=")
    name = name.strip().removeprefix("$")
    if not equals:
        raise click.UsageError(f"--set {text}: it must be NAME=VALUE")
    if name not in SETTABLE and not _ACL_VARIABLE.match(name) and not name.startswith("r_"):
        hint = did_you_mean(name, SETTABLE)
        names = ", ".join(SETTABLE)
        raise click.UsageError(f"${name} cannot be set; {hint or f'what can: acl_c..., acl_m..., r_..., {names}'}")
    return name, value


def _set(context: Context, name: str, value: str) -> None:
    acl_variable = _ACL_VARIABLE.match(name)
    if acl_variable is not None:
        key = acl_variable[1]
        holder = context.client if key[0] == "c" else context.message
        holder.acl_variables[key] = value
        return
    if name.startswith("r_"):
        context.address.router_variables[name] = value
        return
    part, attribute, is_foreign = SETTABLE[name]
    target: Any = context if part == "context" else getattr(context, part)
    setattr(target, attribute, Tainted(value) if is_foreign else value)


def _set_recipient(context: Context, address: str) -> None:
    from eximious.address.delivery import Address
    from eximious.spool.message import Recipient

    context.address = made = Address(Tainted(address))
    if address:
        context.message.recipients.append(Recipient(Tainted(address)))
        context.facts["recipients_visible"] = True
    made.local_part, made.domain = Tainted(made.local_part), Tainted(made.domain)


def _read_message(context: Context, descriptor: int) -> None:
    from eximious.exim.filter_message import read_content

    try:
        read_content(context, descriptor)
    finally:
        os.close(descriptor)
    message = context.message
    message.line_count = sum(header.text.count("\n") for header in message.headers) + 1 + message.body_line_count
    message.size = sum(len(header.text) for header in message.headers) + 1 + message.body_size

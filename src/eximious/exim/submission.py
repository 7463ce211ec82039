"""Who hands a message in on this machine, and where it says that the message came from (``-oM...``, ``-f``, ``-F``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.exim.login import login_of
from eximious.receive.submitter import Submitter
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.exim.invocation import Invocation


def submitter_of(call: Invocation, context: Context) -> Submitter:
    """The caller, as headers and spool files know it."""
    line, caller = call.line, call.caller
    login = login_of(caller, context)
    is_forced = line.sender_name is not None
    submitter = Submitter(
        login.name,
        line.sender_name if line.sender_name is not None else login.real_name,
        caller.uid,
        caller.gid,
        address=f"{login.name}@{call.config.main.qualify_domain}",
        is_trusted=caller.is_trusted,
        name_is_forced=is_forced,
    )
    submitter.keeps_unqualified = line.no_qualification
    return submitter


def describe_client(call: Invocation, context: Context, submitter: Submitter) -> None:
    """Fill in where the message comes from: this machine, unless a trusted caller says otherwise."""
    line, client = call.line, context.client
    client.ident = submitter.login
    client.is_local = True
    if not call.caller.is_trusted:
        return
    if line.host_address:
        client.host_address, client.host_port = endpoint(line.host_address)
        client.is_local = False
    if line.host_name:
        client.host_name = Tainted(line.host_name)
    if line.interface:
        client.interface_address, client.interface_port = endpoint(line.interface)
    if line.ident is not None:
        client.ident = line.ident
    if line.authenticator:
        client.authenticator_name = line.authenticator
    if line.authenticated_id is not None:
        client.authenticated_id = line.authenticated_id


def endpoint(text: str) -> tuple[str, int]:
    """Address and port from ``1.2.3.4.25``, ``[1.2.3.4]:25`` or an address alone."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, int(port.lstrip(":") or 0) if port.lstrip(":").isdigit() else 0
    before, dot, last = text.rpartition(".")
    if dot and last.isdigit() and (before.count(".") == 3 or ":" in before):
        return before, int(last)
    return text, 0

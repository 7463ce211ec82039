"""``self``: what to do when the first host for an address is this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.address.parse import split as split_address
from eximious.routers.complaints import log_main
from eximious.routers.outcome import Decision, Routing
from eximious.taint import Tainted, is_tainted

if TYPE_CHECKING:
    from eximious.address.delivery import Address, Host
    from eximious.context import Context
    from eximious.routers.base import Router

WORDS: Final = ("freeze", "defer", "send", "pass", "fail", "fail_soft")
REROUTE: Final = "reroute:"
REWRITE: Final = "rewrite:"


def is_valid(setting: str) -> bool:
    """True if the ``self`` option can have this value."""
    return setting in WORDS or setting.startswith(REROUTE)


def meet_self(router: Router, address: Address, host: Host, context: Context) -> Routing | None:
    """What the router says about an address whose first host is local; None to send the message there all the same."""
    message = (
        "remote host address is the local host" if host.mx is None else "lowest numbered MX record points to local host"
    )
    setting = router.self_
    if setting == "send":
        return None
    if setting == "pass":
        address.self_hostname = host.name
        return Routing(Decision.PASS, message)
    if setting == "fail":
        return Routing(Decision.FAIL, message)
    if setting.startswith(REROUTE):
        return _reroute(setting[len(REROUTE) :].strip(), address, context)
    if setting == "freeze":
        log_main(context, f"{message}: {address.domain}{_occasion(address, context)}")
        return Routing(Decision.DEFER, message, freeze=True)
    return Routing(Decision.DEFER, message)


def _occasion(address: Address, context: Context) -> str:
    """Which address this is about, and where it came from, for a log line that does not belong to a message."""
    if context.message.id:
        return ""
    client = context.client
    if not client.host_address:
        return f" (while routing <{address.address}>)"
    from_host = client.host_name or client.helo_name
    where = f"{from_host} [{client.host_address}]" if from_host else f"[{client.host_address}]"
    return f" (while verifying <{address.address}> from host {where})"


def _reroute(setting: str, address: Address, context: Context) -> Routing:
    rewrite = setting.startswith(REWRITE)
    domain = setting[len(REWRITE) :].strip() if rewrite else setting
    return change_domain(address, domain, rewrite_headers=rewrite, context=context)


def change_domain(address: Address, domain: str, *, rewrite_headers: bool, context: Context) -> Routing:
    """Route the same local part under another domain; header lines follow if wanted, unless only verifying."""
    local_part, _ = split_address(address.address)
    child = successor(address, f"{local_part}@{domain}")
    if rewrite_headers and context.message.headers and context.facts.get("routing") == "":
        from eximious.rewrite.header import change_domain_in_headers

        change_domain_in_headers(context.message, address.domain, domain, context)
    return Routing(Decision.REROUTED, generated=[child])


def successor(address: Address, text: str) -> Address:
    """A child that is routed in place of the address, with everything that routers have attached to it so far."""
    from eximious.address.delivery import Address

    child = Address(Tainted(text) if is_tainted(address.address) else text, address)
    child.recipient = address.recipient
    child.address_data = address.address_data
    child.router_variables = address.router_variables
    child.errors_to = address.errors_to
    child.srs = address.srs
    child.extra_headers = list(address.extra_headers)
    child.remove_headers = list(address.remove_headers)
    child.onetime_parent = address.onetime_parent
    child.flags = set(address.flags)
    child.dsn_flags = address.dsn_flags
    child.dsn_orcpt = address.dsn_orcpt
    address.child_count = 1
    return child

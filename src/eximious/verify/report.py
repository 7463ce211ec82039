"""What ``-bt``, ``-bv`` and EXPN show of addresses."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from eximious.address.delivery import Address, Host
from eximious.routers.engine import is_same_address, route
from eximious.routers.outcome import Outcome, Routed
from eximious.verify.address import Request, Result, is_direct, prepare, verify_address

if TYPE_CHECKING:
    from eximious.context import Context

Show = Callable[[str], None]  # takes a line without its newline

SEVERITY = {Result.OK: 0, Result.DEFER: 1, Result.FAIL: 2}


def report_verification(text: str, context: Context, show: Show, *, is_recipient: bool, has_details: bool) -> Result:
    """``-bv``: one line that says whether the address verifies. `has_details`: the reader may know why not."""
    prepared = prepare(text, context, is_recipient=is_recipient, qualifies=True) or text
    _show_rewriting(text, prepared, show, context)
    verified = verify_address(text, context, Request(is_recipient=is_recipient, qualifies=True))
    address = verified.address
    if verified:
        show(f"{prepared} verified")
    else:
        verdict = "failed to verify" if verified.result is Result.FAIL else "cannot be resolved at this time"
        show(f"{prepared} {verdict}{reason_of(address) if has_details else ''}")
    return verified.result


def _show_rewriting(text: str, prepared: str, show: Show, context: Context) -> None:
    if not context.config.rewrite_rules:
        return
    from eximious.address.parse import is_qualified

    unrewritten = text if is_qualified(text) else f"{text}@{context.config.main.qualify_recipient}"
    if prepared != unrewritten:
        show(f"Address rewritten as: {prepared}")


def reason_of(address: Address) -> str:
    """Why an address failed or was deferred, as it follows the verdict."""
    number = f": {os.strerror(address.errno)}" if address.errno > 0 else ""
    return f"{number}: {address.message}"


class RoutingReport:
    """``-bt``: where mail for an address would go, in all detail."""

    def __init__(self, context: Context, show: Show, *, has_details: bool = True) -> None:
        self.context = context
        self.show = show
        self.has_details = has_details
        self.result = Result.OK
        self.mode = "T"  # of routing: "R" or "S" for ``-bv`` with ``-v``
        self.routed: list[Address] = []  # the last one first
        self.seen: set[str] = context.facts.setdefault("addresses_shown", set())

    def report(self, text: str) -> Result:
        """Route the address and everything that comes of it, and show the results."""
        prepared = prepare(text, self.context, is_recipient=self.mode != "S", qualifies=True) or text
        _show_rewriting(text, prepared, self.show, self.context)
        waiting = [Address(prepared)]
        while waiting:
            address = waiting.pop(0)
            if is_direct(address):
                self._show_direct(address)
                continue
            routed = route(address, self.context, self.mode)
            self._take(routed)
            waiting[:0] = routed.generated
        for wants_local in (True, False):
            for address in self.routed:
                if (address.transport is not None and not address.transport.is_local) != wants_local:
                    self._show_delivery(address)
        return self.result

    def _take(self, routed: Routed) -> None:
        address = routed.address
        if routed.outcome is Outcome.DISCARDED:
            self.show(f"mail to {address.address} is discarded")
        elif routed.outcome is Outcome.FAILED:
            verdict = "is undeliverable" if self.mode == "T" else "failed to verify"
            self._complain(address, verdict, Result.FAIL)
        elif routed.outcome is Outcome.DEFERRED:
            self._complain(address, "cannot be resolved at this time", Result.DEFER)
        self.routed[:0] = reversed(routed.deliveries)

    def _complain(self, address: Address, verdict: str, result: Result) -> None:
        if SEVERITY[result] > SEVERITY[self.result]:
            self.result = result
        self.show(f"{address.address} {verdict}{reason_of(address) if self.has_details else ''}")
        self._show_parents(address)

    def _show_parents(self, address: Address) -> None:
        parent = address.parent
        while parent is not None:
            self.show(f"    <-- {parent.address}")
            parent = parent.parent

    def _show_direct(self, address: Address) -> None:
        parent = address.parent
        assert parent is not None
        target = address.address
        if "autoreply" in address.flags:
            target = f"mail {target[1:]}"
        line = f"{parent.address} -> {target}"
        is_forbidden = bool(address.message) and -13 <= address.errno <= -11
        missing = _missing_transport(address) if is_forbidden else ""
        if is_forbidden and not missing:
            self.show(f"{line} *** forbidden ***")
            return
        self.show(line)
        if address.transport is None:
            self.show("*** Error in setting up pipe, file, or autoreply:")
            self.show(missing or address.message)
        else:
            self.show(f"  transport = {address.transport.name}")

    def _show_delivery(self, address: Address) -> None:
        transport = address.transport
        name = transport.name if transport is not None else "unset"
        key = f"{address.address}/{name}" if has_namesake(address) else address.address
        sender = "" if address.srs is None else f"    [srs = {address.srs}]"
        duplicate = "   [duplicate, would not be delivered]" if key in self.seen else ""
        self.show(f"{address.address}{sender}{duplicate}")
        self.seen.add(key)
        self._show_parents(address)
        self.show(f"  router = {address.router.name}, transport = {name}")
        if transport is not None and not getattr(transport, "hosts_override", False):
            for line in host_lines(address.host_list, is_local=transport.is_local):
                self.show(line)


def has_namesake(address: Address) -> bool:
    """True if the address stems from itself, so that the same address may rightly be delivered by two transports."""
    ancestor = address.parent
    while ancestor is not None:
        if is_same_address(ancestor.address, address.address):
            return True
        ancestor = ancestor.parent
    return False


def host_lines(hosts: list[Host], *, is_local: bool) -> list[str]:
    """The hosts, their names and addresses each in a column."""
    if not hosts:
        return []
    name_width = max(len(host.name) for host in hosts)
    address_width = max(len(host.address) if host.address else 7 for host in hosts)
    return [_host_line(host, name_width, address_width, is_local=is_local) for host in hosts]


def _host_line(host: Host, name_width: int, address_width: int, *, is_local: bool) -> str:
    line = f"  host {host.name:<{name_width}} "
    if host.address or not is_local:
        address = f"[{host.address or 'unknown'}]"
        line += f"{address:<{address_width + 2}}"
    else:
        line += f" {'':<{address_width}} "
    if host.mx is not None:
        line += f" MX={host.mx}"
    if host.port:
        line += f" port={host.port}"
    if host.dnssec:
        line += " AD"
    if host.status:
        line += " ** unusable **"
    return line


def _missing_transport(address: Address) -> str:
    """What a forbidden pipe, file or reply lacks besides the permission; "" if nothing."""
    kind = "reply" if "autoreply" in address.flags else "pipe" if "pipe" in address.flags else "file"
    if kind == "file" and address.address.endswith("/"):
        kind = "directory"
    router = address.router
    if address.transport is not None or router is None or not (router.data or router.file):
        return ""  # (a queryprogram router permits none and has no such options)
    return f"{kind}_transport unset in {router.name} router"

"""The chain of routers: which of them handles an address, and what becomes of it.

Exim specification, section "Running an individual router".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.errors import Defer, ExpandError, ForcedFail
from eximious.octets import lower
from eximious.routers.affixes import remove_affixes
from eximious.routers.complaints import log_main_and_panic
from eximious.routers.outcome import Decision, Deferred, Outcome, Routed, Routing, decline
from eximious.routers.percent_hack import without_percent
from eximious.routers.preconditions import hold
from eximious.routers.switches import expanded_switch
from eximious.routers.unseen import split_off_copy
from eximious.routers.variables import set_variables

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.context import Context
    from eximious.routers.base import Router


def route(address: Address, context: Context, verify: str = "") -> Routed:
    """Send an address through the routers, from its `start_router` (or the first) on.

    `verify` is "" for delivery, "S" or "R" while a sender or recipient is verified, "E" for EXPN, "T" for -bt.
    The context's address is set to `address` while routers run, and restored afterwards.
    Never raises for an address: what is wrong is in the answer.
    """
    before = (context.address, context.verifying, context.router_name, context.captures, context.facts.get("routing"))
    context.address = address
    context.verifying = "R" if verify == "T" else verify if verify in VERIFYING else ""
    context.facts["routing"] = verify
    try:
        return _Chain(address, context, verify).run()
    finally:
        context.address, context.verifying, context.router_name, context.captures, context.facts["routing"] = before
        context.facts.pop("local_user", None)


VERIFYING: Final = ("S", "R")


def is_verifying(context: Context) -> bool:
    """True while routers run to verify an address, not to deliver, test or list it."""
    return context.facts.get("routing") in VERIFYING


class _Chain:
    """One address on its way along the chain."""

    def __init__(self, address: Address, context: Context, verify: str) -> None:
        self.address = address
        self.context = context
        self.verify = verify

    def run(self) -> Routed:
        """Ask router after router until one decides."""
        try:
            hacked = without_percent(self.address, self.context)
        except Deferred as reason:
            return self._deferred(reason)
        if hacked is not None:
            return Routed(Outcome.REROUTED, self.address, generated=[hacked])
        chain = self.context.config.routers
        router: Router | None = self.address.start_router or (chain[0] if chain else None)
        last: Router | None = None
        while router is not None:
            last = router
            try:
                answer = self._ask(router)
                if answer is None:  # skipped
                    router = router.next_router
                    continue
                if answer.decision is Decision.PASS:
                    self.address.message = ""
                    router = router.pass_to or router.next_router
                    continue
                if answer.decision is Decision.DECLINE:
                    self.address.message, self.address.user_message = answer.message, answer.user_message
                    router = router.next_router if self._may_go_on(router) else None
                    continue
                return self._decided(router, answer)
            except Deferred as reason:
                return self._deferred(reason)
        return self._unrouteable(last)

    def _ask(self, router: Router) -> Routing | None:
        """What the router says; None if it is skipped."""
        address, context = self.address, self.context
        if has_been_here(router, address):
            return None
        context.router_name = router.name
        context.facts.pop("local_user", None)
        address.router = router
        address.domain_data = address.local_part_data = None
        address.home_directory = ""
        address.uid = address.gid = None
        cased = address.local_part_cased
        address.local_part = cased if router.caseful_local_part else lower(cased)
        if not remove_affixes(router, address) or not hold(router, address, context, self.verify):
            return None
        return set_variables(router, router.settings, address, context) or self._run(router)

    def _run(self, router: Router) -> Routing:
        """Let the router look at the address, all preconditions being met."""
        address, context = self.address, self.context
        if router.address_data is not None:
            try:
                address.address_data = router.address_data.expand(context)
            except ForcedFail:
                return decline()
            except ExpandError as error:
                source = router.address_data.source
                raise Deferred(f'expansion of "{source}" failed in {router.name} router: {error}') from error
        try:
            return router.route(address, context)
        except Defer as error:
            raise Deferred(str(error)) from error

    def _may_go_on(self, router: Router) -> bool:
        return expanded_switch(router, "more", router.more, True, self.context)

    def _decided(self, router: Router, answer: Routing) -> Routed:
        """A router has the last word."""
        address = self.address
        address.message = answer.message
        address.user_message = answer.user_message
        if answer.decision in (Decision.FAIL, Decision.DEFER) and answer.generated:
            address.child_count += 1  # itself: when the others are done, it is not
        if answer.decision is Decision.FAIL:
            return Routed(Outcome.FAILED, address, generated=answer.generated)
        if answer.decision is Decision.DEFER:
            address.special_action = "freeze" if answer.freeze else ""
            return Routed(Outcome.DEFERRED, address, generated=answer.generated)
        if answer.decision is Decision.REROUTED:
            return Routed(Outcome.REROUTED, address, generated=answer.generated)
        if self._is_forced_to_fail(router):
            address.message = f"{router.name} router forced verify failure"
            return Routed(Outcome.FAILED, address)
        is_discarded = answer.decision is Decision.DISCARD
        routed = Routed(Outcome.DISCARDED if is_discarded else Outcome.ROUTED, address, generated=answer.generated)
        if not is_discarded and not answer.generated and not answer.is_redirection:
            address.transport = answer.transport
            address.host_list = answer.hosts
            if router.translate_ip_address is not None:
                from eximious.routers.translate import translated

                address.host_list = translated(router.translate_ip_address, answer.hosts, self.context)
            routed.deliveries = [address]
        if expanded_switch(router, "unseen", router.unseen, False, self.context) and router.next_router is not None:
            split_off_copy(routed, router.next_router)
            routed.outcome = Outcome.ROUTED
        return routed

    def _is_forced_to_fail(self, router: Router) -> bool:
        """``fail_verify``: accepting the address means that it must not verify."""
        return (router.fail_verify_recipient and self.verify == "R") or (
            router.fail_verify_sender and self.verify == "S"
        )

    def _deferred(self, reason: Deferred) -> Routed:
        address = self.address
        address.message = reason.message
        address.user_message = reason.user_message
        address.special_action = "freeze" if reason.freeze else ""
        return Routed(Outcome.DEFERRED, address)

    def _unrouteable(self, last: Router | None) -> Routed:
        """No router wants the address."""
        address, context = self.address, self.context
        if last is not None and last.cannot_route_message is not None:
            try:
                address.message = address.user_message = last.cannot_route_message.expand(context)
            except ForcedFail:
                pass
            except (ExpandError, Defer) as error:
                log_main_and_panic(context, f"failed to expand cannot_route_message in {last.name} router: {error}")
        if not address.message:
            address.message = address.user_message = "Unrouteable address"
        address.router = None
        return Routed(Outcome.FAILED, address)


def has_been_here(router: Router, address: Address) -> bool:
    """True if the router has handled an ancestor that is the same address, or any ancestor under ``no_repeat_use``."""
    ancestor = address.parent
    while ancestor is not None:
        if ancestor.router is router and (
            not router.repeat_use
            or is_same_address(ancestor.address, address.address, caseful=router.caseful_local_part)
        ):
            return True
        ancestor = ancestor.parent
    return False


def is_same_address(one: str, other: str, *, caseful: bool = False) -> bool:
    """True for the same address; domains never depend on the case of letters, local parts if `caseful`."""
    if not caseful:
        return one.lower() == other.lower()
    one_local, _, one_domain = one.rpartition("@")
    other_local, _, other_domain = other.rpartition("@")
    return one_local == other_local and one_domain.lower() == other_domain.lower()

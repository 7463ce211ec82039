"""Verifying addresses: can mail for them be delivered, as far as routing (and, if wanted, their hosts) can tell?

Exim specification, "Address verification". What ACLs ask for is in `eximious.verify.request`.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from eximious.address.delivery import Address
from eximious.address.parse import AddressError, is_qualified, parse
from eximious.address.rules import address_rules
from eximious.routers.engine import route
from eximious.routers.outcome import Outcome, Routed
from eximious.taint import Tainted, is_tainted

if TYPE_CHECKING:
    from eximious.acl.verify_options import CalloutOptions
    from eximious.context import Context

DEEPEST: Final = 100  # redirections that lead to one child each


class Result(Enum):
    """What verification came to."""

    OK = "ok"
    FAIL = "fail"
    DEFER = "defer"


class Verified:
    """How one verification ended."""

    __slots__ = (
        "address",
        "address_data",
        "delivery",
        "domain_data",
        "failure",
        "is_from_callout",
        "local_part_data",
        "message",
        "original",
        "result",
        "user_message",
    )

    def __init__(self, result: Result, original: str, address: Address) -> None:
        self.result = result
        self.original = original  # as asked for, after rewriting
        self.address = address  # the one that decided: the original, or the only child of it, ...
        self.message: str | None = address.message  # for the log; None if there is nothing more to say
        self.user_message = address.user_message  # for people outside; None if they need not know
        self.address_data = address.address_data  # $address_data of the router that decided
        # "qualify", "route", "mail", "recipient" or "postmaster": $sender_verify_failure, $recipient_verify_failure
        self.failure = "" if result is Result.OK else "route"
        self.delivery: Address | None = None  # the address with its transport, if exactly one was to be delivered to
        self.is_from_callout = False  # a host said so, or could not be asked
        # What a host that accepted the address stands for: $domain_data and $local_part_data may be used in paths.
        self.domain_data: str | None = None
        self.local_part_data: str | None = None

    def __bool__(self) -> bool:
        return self.result is Result.OK


class Request:
    """What is to be verified, and how."""

    __slots__ = ("callout", "has_fake_sender", "is_recipient", "qualifies", "success_on_redirect")

    def __init__(
        self,
        *,
        is_recipient: bool,
        qualifies: bool = False,
        success_on_redirect: bool = False,
        has_fake_sender: bool = False,
        callout: CalloutOptions | None = None,
    ) -> None:
        self.is_recipient = is_recipient
        self.qualifies = qualifies  # an address without a domain gets the configured one, instead of failing
        self.success_on_redirect = success_on_redirect  # a redirection is enough, wherever it leads
        self.has_fake_sender = has_fake_sender  # routers see the null sender
        self.callout = callout  # ask the hosts, too


def verify_address(text: str, context: Context, request: Request) -> Verified:
    """Verify an address that has been parsed already. Never raises for an address."""
    verify = "R" if request.is_recipient else "S"
    prepared = prepare(text, context, is_recipient=request.is_recipient, qualifies=request.qualifies)
    if prepared is None:
        address = Address(text)
        address.message = f'a domain is required for "{text}"'
        verified = Verified(Result.FAIL, text, address)
        verified.failure = "qualify"
        verified.user_message = address.message
        return verified
    if not request.has_fake_sender:
        return _follow(prepared, context, request, verify)
    sender = context.message.sender
    context.message.sender = ""
    try:
        return _follow(prepared, context, request, verify)
    finally:
        context.message.sender = sender


def prepare(text: str, context: Context, *, is_recipient: bool, qualifies: bool) -> str | None:
    """The address with a domain, rewritten; None if it has no domain and must not get one."""
    if not is_qualified(text):
        if not qualifies:
            return None
        main = context.config.main
        qualified = f"{text}@{main.qualify_recipient if is_recipient else main.qualify_domain}"
        text = Tainted(qualified) if is_tainted(text) else qualified
    if context.config.rewrite_rules:
        from eximious.rewrite.engine import rewrite_recipient, rewrite_sender

        return rewrite_recipient(text, context) if is_recipient else rewrite_sender(text, context)
    return text


def _follow(text: str, context: Context, request: Request, verify: str) -> Verified:
    """Route the address, and its child as long as there is only one."""
    address = Address(text)
    for _ in range(DEEPEST):
        routed = route(address, context, verify)
        if routed.outcome is Outcome.FAILED:
            return Verified(Result.FAIL, text, address)
        if routed.outcome is Outcome.DEFERRED:
            return Verified(Result.DEFER, text, address)
        if routed.outcome is Outcome.DISCARDED:
            return Verified(Result.OK, text, address)
        child = _only_child(routed)
        if "unseen" in routed.address.flags and len(routed.deliveries) == len(routed.generated) == 1:
            verified = _accepted(routed, text, context, request)
            if verified.result is not Result.OK:
                return verified
            child = routed.generated[0]  # the copy has to verify, too
        if child is None or (request.success_on_redirect and routed.outcome is Outcome.ROUTED):
            return _accepted(routed, text, context, request)
        address = child
    address.message = "too many redirections"
    return Verified(Result.DEFER, text, address)


def _only_child(routed: Routed) -> Address | None:
    """The address that must verify in place of the routed one: a single child that is an address."""
    if routed.deliveries or len(routed.generated) != 1:
        return None
    child = routed.generated[0]
    return None if is_direct(child) else child


def is_direct(address: Address) -> bool:
    """True for pipes, files and automatic replies, which are not routed."""
    return not address.flags.isdisjoint(("pipe", "file", "autoreply"))


def _accepted(routed: Routed, text: str, context: Context, request: Request) -> Verified:
    if request.callout is not None and routed.deliveries:
        from eximious.verify.callout import call_out

        verified = call_out(routed.deliveries[0], text, context, request)
    else:
        verified = Verified(Result.OK, text, routed.address)
    if len(routed.deliveries) == 1 and not routed.generated:
        verified.delivery = routed.deliveries[0]
    return verified


def verified_errors_address(text: str, context: Context) -> str | None:
    """The address in a router's ``errors_to`` if it verifies as a recipient of bounces, else None."""
    try:
        parsed = parse(text, address_rules(context))
    except AddressError:
        return None
    verified = verify_address(parsed.address, context, Request(is_recipient=True, qualifies=True, has_fake_sender=True))
    return verified.original if verified else None

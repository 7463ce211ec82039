"""What the SMTP commands VRFY and EXPN are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eximious.address.delivery import Address
from eximious.address.parse import is_qualified
from eximious.octets import SPACE
from eximious.routers.engine import route
from eximious.routers.outcome import Outcome
from eximious.verify.address import Request, Result, is_direct, prepare, verify_address

if TYPE_CHECKING:
    from eximious.context import Context

MOST_LINES: Final = 1000  # of an answer to EXPN


def verify_for_vrfy(address: str, context: Context) -> tuple[int, str]:
    """Reply code and text for an address that has been parsed."""
    verified = verify_address(address, context, Request(is_recipient=True, qualifies=True))
    if verified:
        return 250, f"<{address}> is deliverable"
    text = verified.user_message or (verified.message if verified.result is Result.FAIL else "")
    if verified.result is Result.DEFER:
        return 451, f"<{address}> {text}" if text else f"Cannot resolve <{address}> at this time"
    return 550, f"<{address}> {text or 'is not deliverable'}"


def expand_for_expn(argument: str, context: Context) -> list[tuple[int, str]]:
    """Reply codes and texts: what one level of redirection makes of an address. There is at least one."""
    text = argument.strip(SPACE).removeprefix("<").removesuffix(">")
    prepared = prepare(text, context, is_recipient=True, qualifies=True) or text
    if not is_qualified(prepared):
        return [(553, f"{text} is undeliverable")]
    address = Address(prepared)
    routed = route(address, context, "E")
    if routed.outcome is Outcome.FAILED:
        return [(553, f"{prepared} is undeliverable")]
    if routed.outcome is Outcome.DEFERRED:
        return [(553, f"{prepared} cannot be resolved at this time")]
    if routed.outcome is Outcome.DISCARDED:
        return [(250, f"mail to <{prepared}> is discarded")]
    found = [*routed.deliveries, *routed.generated][:MOST_LINES]
    return [(250, _shown(one)) for one in found] or [(553, f"{prepared} is undeliverable")]


def _shown(address: Address) -> str:
    if is_direct(address):
        return f"{address.parent.address if address.parent else ''} -> {address.address}"
    return f"<{address.address}>"

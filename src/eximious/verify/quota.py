"""``verify = recipient/quota``: is there room in the mailbox of the recipient?

What was found is remembered among the results of callouts. (Exim specification, "Quota caching".)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from eximious.hints.record import Callout
from eximious.verify.address import Result, Verified
from eximious.verify.callout_cache import ACCEPT, REJECT

if TYPE_CHECKING:
    from eximious.acl.verify_options import QuotaOptions
    from eximious.context import Context

FAILURE = "quota"  # $recipient_verify_failure
OVER_QUOTA = -22  # the error number of deliveries that a quota prevents


def check_quota(verified: Verified, options: QuotaOptions, context: Context) -> None:
    """See whether an address that verified has room for the message; if not, it has not verified."""
    known = _known(verified.original, options, context)
    if known:
        _judge(verified, Result.OK if known == ACCEPT else Result.FAIL, "Previous (cached) quota verification failure")
        return
    delivery = verified.delivery
    if delivery is None:
        return
    # Deliveries are of a higher layer.
    outcome = importlib.import_module("eximious.deliver.room").find_room(delivery, context)
    if outcome.status == "delivered":
        result, message = Result.OK, ""
    elif outcome.errno == OVER_QUOTA:
        result, message = Result.FAIL, "Over quota"
    else:
        result, message = Result.DEFER, outcome.message
    _judge(verified, result, message)
    if result is not Result.DEFER:
        _remember(verified.original, result, options, context)


def _judge(verified: Verified, result: Result, message: str) -> None:
    verified.result = result
    if result is Result.OK:
        return
    verified.failure = FAILURE
    verified.message = message
    verified.user_message = None  # how full a mailbox is, is its owner's affair


def _known(address: str, options: QuotaOptions, context: Context) -> str:
    """What was found before and is still good, or ""."""
    record = context.services.hints.callout.get(address)
    if record is None:
        return ""
    limit = options.positive if record.result == ACCEPT else options.negative
    return record.result if context.services.now() - record.written_at < limit else ""


def _remember(address: str, result: Result, options: QuotaOptions, context: Context) -> None:
    if not (options.positive if result is Result.OK else options.negative):
        return
    record = Callout()
    record.result = ACCEPT if result is Result.OK else REJECT
    context.services.hints.callout.put(address, record)

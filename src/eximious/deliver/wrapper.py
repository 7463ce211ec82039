"""mua_wrapper: all recipients in one transaction with a smart host, now or never.

Whoever has called the program learns by the exit status and by one line on standard error. Nothing stays in the queue,
and there are no bounces. (Exim specification, "Using Exim as a non-queueing client".)
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eximious.transports.outcome import DEFERRED, Outcome, failed

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.deliver.progress import Progress

CONFIGURATION = "mua_wrapper is set but recipients cannot all be delivered in one transaction"


def routing_failed(progress: Progress) -> bool:
    """True, and reported, if the message cannot be delivered since not every address is routed to another host."""
    if progress.local:
        name = progress.local[0].address
        progress.log(f"** {name} routing yielded a local delivery")
        _tell(progress, f"routing {name} yielded a local delivery")
    elif progress.deferred:
        address = progress.deferred[0]
        progress.log(f"** {address.address} routing yielded a deferred delivery")
        _tell(progress, f"routing {address.address} yielded a deferred delivery: {address.result.message}")
    elif progress.failed:
        address = progress.failed[0]
        _tell(progress, f"routing {address.address} yielded a failed delivery: {address.result.message}")
    else:
        return False
    return True


def cannot_be_one_transaction(progress: Progress) -> None:
    """Report that the recipients do not go to the same place in the same way."""
    progress.log(f"** {CONFIGURATION}")
    _tell(progress, "delivery to smarthost failed (configuration problem)")


def all_or_nothing(outcomes: list[Outcome]) -> list[Outcome]:
    """What is so far from success for one recipient is a failure for all."""
    reason = next((outcome for outcome in outcomes if outcome.status != "delivered"), None)
    if reason is None:
        return outcomes
    return [_final(reason if outcome.status == "delivered" else outcome) for outcome in outcomes]


def _final(outcome: Outcome) -> Outcome:
    final = outcome.copy()
    final.status = failed("").status
    if outcome.status == DEFERRED:
        final.retries = []
    return final


def tell_of_failure(progress: Progress) -> None:
    """Tell the caller why the smart host did not take the message."""
    if progress.failed:
        _tell(progress, f"Delivery failed: {_reason(progress.failed[-1])}")


def _reason(address: Address) -> str:
    outcome: Outcome = address.result
    text = outcome.message
    if not text and outcome.errno > 0:
        import os

        text = os.strerror(outcome.errno)
    if outcome.host is not None and outcome.message:
        return f"H={outcome.host.name} [{outcome.host.address}]: {text}"
    return text


def _tell(progress: Progress, text: str) -> None:
    progress.wrapper_failed = True
    sys.stderr.write(f"{text}\n")

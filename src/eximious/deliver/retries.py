"""After the deliveries of a message: bring the retry hints up to date, and give up addresses whose time is over.

(Exim specification, "Long-term failures".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.hints.store import HintsError
from eximious.retry.updates import RetryUpdate, Verdict, apply
from eximious.transports.outcome import FREEZE, ROUTING_RETRY

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.deliver.progress import Progress


def update_hints(progress: Progress) -> None:
    """Apply everything that was learnt, each key once, and fail addresses that have been deferred for too long."""
    if not progress.retry_updates:
        return
    verdicts: dict[str, Verdict] = {}
    failing = {update.key for updates in progress.retry_updates.values() for update in updates if not update.works}
    try:
        for updates in progress.retry_updates.values():
            for update in updates:
                if update.works and update.key not in failing and update.key not in verdicts:
                    verdicts[update.key] = apply(update, progress.context)
        overdue = [address for address in progress.deferred if _is_over(progress, address, verdicts)]
    except HintsError as error:
        progress.services.logs.panic(str(error), progress.message.id)
        return
    for address in overdue:
        _give_up(progress, address)


def _is_over(progress: Progress, address: Address, verdicts: dict[str, Verdict]) -> bool:
    """True if all that failed for the address has been failing for longer than its rule allows."""
    failures: list[RetryUpdate] = [update for update in progress.retry_updates.get(id(address), ()) if not update.works]
    for update in failures:
        if update.key not in verdicts:
            verdicts[update.key] = apply(update, progress.context)
    if not failures or id(address) in progress.retry_skipped:
        return False
    outcome = address.result
    if outcome.special_action == FREEZE or outcome.errno <= ROUTING_RETRY:
        return False
    return all(verdicts[update.key].is_over for update in failures)


def _give_up(progress: Progress, address: Address) -> None:
    outcome = address.result
    progress.deferred.remove(address)
    outcome.message = f"{outcome.message}: retry timeout exceeded" if outcome.message else "retry timeout exceeded"
    outcome.user_message = (
        f"{outcome.user_message}: retry timeout exceeded" if outcome.user_message else ("retry timeout exceeded")
    )
    outcome.status = "failed"
    progress.give_up(address)

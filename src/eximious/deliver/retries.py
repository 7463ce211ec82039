"""After the deliveries of a message: bring the retry hints up to date, and give up addresses whose time is over.

(Exim specification, "Long-term failures".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.hints.store import HintsError
from eximious.retry.updates import Verdict, apply
from eximious.transports.outcome import FREEZE, ROUTING_RETRY

if TYPE_CHECKING:
    from eximious.address.delivery import Address
    from eximious.deliver.progress import Progress


def update_hints(progress: Progress) -> None:
    """Apply everything that was learnt, each key once, and fail addresses that have been deferred for too long."""
    if not progress.retry_updates:
        return
    verdicts: dict[str, Verdict] = {}
    learnt = [update for updates in progress.retry_updates.values() for update in updates]
    failing = {update.key for update in learnt if not update.works}
    try:
        for update in learnt:
            if update.key not in verdicts and not (update.works and update.key in failing):
                verdicts[update.key] = apply(update, progress.context)
    except HintsError as error:
        progress.services.logs.panic(str(error), progress.message.id)
        return
    # The last first, as Exim does it.
    for address in [address for address in reversed(progress.deferred) if _is_over(progress, address, verdicts)]:
        _give_up(progress, address)


def _is_over(progress: Progress, address: Address, verdicts: dict[str, Verdict]) -> bool:
    """True if all that failed for the address has been failing for longer than its rule allows."""
    failures = [update for update in progress.retry_updates.get(id(address), ()) if not update.works]
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

"""How many failure reports are sent: like ones once an hour, and no more an hour than a limit (RFC 9991 section 7)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from eximious.hints.dmarc_record import DmarcFailure
from eximious.waiting import in_thread

if TYPE_CHECKING:
    from eximious.hints.store import Hints

WINDOW: Final = 3600.0  # seconds
TOTAL_MAX: Final = 500  # reports an hour about all domains
ALL: Final = "all"


def incidents(hints: Hints, now: float, domain: str, alike: tuple[str, ...], most: int) -> int:
    """How many failures a report that is sent now stands for; 0 if none may be sent.

    `alike` is what failures have in common that are told of only once an hour; those that were not told of are counted
    in the next report. `most` is the limit for the domain, 0 for none. Raises HintsError.
    """
    table = hints.dmarc_failures
    common = "\0".join((domain, *alike)).encode("latin-1", "replace")
    key = f"like {hashlib.blake2b(common, digest_size=16).hexdigest()}"
    known = table.get(key)
    if known is not None and now - known.begin < WINDOW:
        table.change(key, _withheld)
        return 0
    total = table.get(ALL)
    if total is None or now - total.begin >= WINDOW:
        in_thread(forget, hints, now)
    elif total.sent >= TOTAL_MAX:
        return 0  # and nothing is stored for whatever domain this is
    if not _count(hints, f"domain {domain}", now, most) or not _count(hints, ALL, now, TOTAL_MAX):
        return 0
    record = DmarcFailure()
    record.begin, record.sent = now, 1
    table.put(key, record)
    return 1 + (known.withheld if known is not None else 0)


def _withheld(record: DmarcFailure | None) -> DmarcFailure | None:
    if record is not None:
        record.withheld += 1
    return record


def _count(hints: Hints, key: str, now: float, most: int) -> bool:
    may = True

    def counted(record: DmarcFailure | None) -> DmarcFailure:
        nonlocal may
        if record is None or now - record.begin >= WINDOW:
            record = DmarcFailure()
            record.begin = now
        may = most <= 0 or record.sent < most
        record.sent += may
        record.withheld += not may
        return record

    hints.dmarc_failures.change(key, counted)
    return may


def forget(hints: Hints, now: float) -> None:
    """Nothing that is older than two hours counts any more. (Done once an hour, when the count of all begins anew.)"""
    table = hints.dmarc_failures
    for key, record in list(table.items()):
        if now - record.begin >= 2 * WINDOW:
            table.delete(key)

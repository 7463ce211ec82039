"""Aggregate reports are sent: each day's after midnight UTC, spread over some hours, by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from eximious.context import Context
from eximious.deliver.dmarc import gathered
from eximious.deliver.dmarc.aggregate import Made, Reporter, make
from eximious.deliver.dmarc.sender import characters, hand_in, places_for
from eximious.deliver.submit import NotSubmitted
from eximious.errors import Defer
from eximious.mailauth.reports.aggregate import to_mail
from eximious.waiting import in_thread

if TYPE_CHECKING:
    from eximious.deliver.dmarc.gathered import Gathered
    from eximious.mailauth.dmarc.record import ReportUri
    from eximious.services import Services

GRACE: Final = 300  # seconds after midnight, for messages that were on their way into the hints
PATIENCE: Final = gathered.DAY  # after so much time, a report that could not be sent is given up
KEPT: Final = 3 * gathered.DAY  # what was gathered, if nobody sends it
AT_ONCE: Final = 500  # reports of one run; the next run sends more
LOCK: Final = "dmarc.lock"  # in the folder of the hints

# What became of a report.
SENT: Final = "sent"
MADE: Final = "made"  # only to be looked at
NOBODY: Final = "nobody"  # may be sent it
LATER: Final = "later"


class Busy(Exception):
    """Another process is sending reports."""


class Result:
    """One report, and what became of it."""

    __slots__ = ("made", "notes", "outcome", "recipients")

    def __init__(self, made: Made, outcome: str, recipients: list[str], notes: list[str]) -> None:
        self.made = made
        self.outcome = outcome
        self.recipients = recipients
        self.notes = notes  # why it did not go to some


class Wanted:
    """Which reports are to be made, and what is to be done with them."""

    __slots__ = ("domain", "is_now", "sends")

    def __init__(self, *, is_now: bool = False, domain: str = "", sends: bool = True) -> None:
        self.is_now = is_now  # not only those that are due, but all, up to this moment
        self.domain = domain  # only about this one
        self.sends = sends  # otherwise they are only made, and what was gathered stays


def run(services: Services, wanted: Wanted | None = None) -> Iterator[Result]:
    """Make and send reports, one after another. Raises Busy, and Defer if the lock cannot be used."""
    wanted = wanted or Wanted()
    if not wanted.sends:
        yield from _reports(services, wanted)
        return
    with _alone(services):
        yield from _reports(services, wanted)
        _tidy(services)


def run_due(services: Services) -> None:
    """Send what is due: the daemon calls this from time to time."""
    if not services.config.main.dmarc_aggregate_reports:
        return
    try:
        for _ in run(services):
            pass
    except Busy:
        return
    except Defer as error:
        services.logs.panic(f"DMARC: no reports are sent: {error}")


@contextlib.contextmanager
def _alone(services: Services) -> Iterator[None]:
    """Only one process of this spool sends reports. Raises Busy, Defer."""
    directory = f"{services.config.main.spool_directory}/db"
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        os.makedirs(directory, 0o750, exist_ok=True)
        descriptor = os.open(f"{directory}/{LOCK}", flags, 0o640)
    except OSError as error:
        raise Defer(f"{directory}/{LOCK}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        yield
    finally:
        os.close(descriptor)


def due_at(one: Gathered, spread: float, host: str) -> float:
    """When the report of a day is to be sent. Each host has its own order, so that not all ask one place at once."""
    digest = hashlib.sha256(f"{host} {one.domain}".encode("latin-1", "replace")).digest()
    return one.end + GRACE + int.from_bytes(digest[:4], "big") / 2**32 * spread


def _reports(services: Services, wanted: Wanted) -> Iterator[Result]:
    main = services.config.main
    context = Context(services.config, services)
    reporter = Reporter(context)
    now = services.now()
    number = 0
    for one in gathered.domains(services.hints):
        is_due = wanted.is_now or due_at(one, main.dmarc_report_spread, main.primary_hostname) <= now
        if not is_due or wanted.domain not in ("", one.domain):
            continue
        until = min(int(now), one.end)
        made = in_thread(make, services.hints, one, until, reporter)
        if made is None:
            if wanted.sends and one.end <= now:
                _forget(services, one, {}, until)
            continue
        yield _dispose(context, one, made, reporter, wanted)
        number += 1
        if number >= AT_ONCE and not wanted.is_now:
            return


def _dispose(context: Context, one: Gathered, made: Made, reporter: Reporter, wanted: Wanted) -> Result:
    """Send a report, or only show it."""
    services = context.services
    notes: list[str] = []
    places, is_undecided = _places(context, one, made, notes)
    if not wanted.sends:
        return Result(made, MADE, [place.address for place in places], notes)
    outcomes = {place.address: _send_one(context, made, reporter, place, notes) for place in places}
    sent = [address for address, outcome in outcomes.items() if outcome == SENT]
    may_be_later = is_undecided or LATER in outcomes.values()
    if not sent and may_be_later and services.now() < one.end + PATIENCE:
        return Result(made, LATER, [], notes)
    _log(services, made, sent, notes)
    _forget(services, one, made.keys, made.until)
    return Result(made, SENT if sent else NOBODY, sent, notes)


def _places(context: Context, one: Gathered, made: Made, notes: list[str]) -> tuple[list[ReportUri], bool]:
    """Where the report may go, and whether that may be otherwise at another time."""
    asked = made.record.aggregate_uris
    undecided: list[str] = []
    places = places_for(context, one.domain, asked, undecided)
    if places is None:
        notes.append("DMARC is switched off")
        return [], True
    notes += [f"the DNS does not answer for {name}" for name in undecided]
    agreed = {place.domain for place in places}
    notes += [f"{uri.address} has not agreed" for uri in asked if uri.domain not in agreed]
    return places, bool(undecided)


def _send_one(context: Context, made: Made, reporter: Reporter, place: ReportUri, notes: list[str]) -> str:
    """Hand in the report for one address: SENT, NOBODY if it is too large there, LATER if it cannot be queued."""
    services, report = context.services, made.report
    mail = in_thread(
        to_mail,
        report,
        receiver=reporter.domain,
        sender=characters(reporter.sender.header),
        recipients=[place.address],
        message_id=f"{report.report_id}.{zlib.crc32(place.address.encode('latin-1', 'replace')):08x}@{reporter.domain}",
        now=services.now(),
    )
    if reporter.is_rfc7489 and place.max_size is not None and len(mail) > place.max_size:
        notes.append(f"too large for {place.address}")
        return NOBODY
    try:
        hand_in(services, mail, reporter.sender, place.address)
    except NotSubmitted as error:
        notes.append(f"not accepted for {place.address}: {error}")
        return LATER
    return SENT


def _log(services: Services, made: Made, sent: list[str], notes: list[str]) -> None:
    report = made.report
    day = time.strftime("%Y-%m-%d", time.gmtime(report.begin))
    count = "1 message" if made.messages == 1 else f"{made.messages} messages"
    what = f"aggregate report about {report.published.domain} for {day} ({count})"
    why = f": {'; '.join(notes)}" if notes else ""
    services.logs.main(f"DMARC: {what} sent to {', '.join(sent)}{why}" if sent else f"DMARC: {what} not sent{why}")


def _forget(services: Services, one: Gathered, keys: dict[str, int], until: int) -> None:
    try:
        gathered.forget(services.hints, one, keys, until)
    except Defer as error:
        services.logs.panic(f"DMARC: what was reported stays in the hints: {error}")


def _tidy(services: Services) -> None:
    """Nothing stays for ever, even if it could not be sent."""
    gathered.forget_days(services.hints, int(services.now()) - KEPT - gathered.DAY)

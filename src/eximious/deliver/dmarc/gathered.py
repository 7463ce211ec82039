"""What has been found about domains that want aggregate reports, by day (UTC), in the hints.

Reception adds to it, message by message: messages that are alike in everything a report says are one record with a
count. How many there may be is bounded, since strangers decide how different their messages are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from eximious.hints.dmarc_record import DmarcDomain, DmarcRow
from eximious.mailauth.reports.aggregate import DkimResult, Reason, Row, SpfResult

if TYPE_CHECKING:
    from eximious.hints.store import Hints

DAY: Final = 86_400  # seconds
ROWS_MAX: Final = 5_000  # kinds of messages that are told apart, a day and domain
TOTAL_MAX: Final = 200_000  # the same, all domains together
SIGNATURES_MAX: Final = 20  # of one message
TEXT_MAX: Final = 255  # octets of one value

_ALL: Final = ""  # in the place of a domain: the record that counts for all domains


class Gathered:
    """One domain on one day."""

    __slots__ = ("day", "domain", "head", "key")

    def __init__(self, key: str, head: DmarcDomain) -> None:
        day, _, self.domain = key.partition(" ")
        self.key = key
        self.day = int(day)
        self.head = head

    @property
    def end(self) -> int:
        """When the day is over; UNIX time."""
        return (self.day + 1) * DAY


def add(hints: Hints, now: float, domain: str, policy: str, method: str, row: Row) -> None:
    """Count a message. `domain` has the DMARC record `policy`, which was found by `method`. Raises HintsError."""
    day = int(now) // DAY
    key = f"{day} {domain}"
    head = hints.dmarc_domains.get(key)
    if head is None or (head.policy, head.method) != (policy, method):
        _begin(hints, key, day, policy, method)
    values = pack(row)
    digest = hashlib.blake2b("\0".join(values).encode("latin-1", "replace"), digest_size=16).hexdigest()
    row_key = f"{key} {digest}"
    rows = hints.dmarc_rows
    if rows.get(row_key) is None and not _may_begin_row(hints, key, day):
        return

    def counted(row: DmarcRow | None) -> DmarcRow:
        if row is None:
            row = DmarcRow()
            row.values = values
        row.count += 1
        return row

    rows.change(row_key, counted)


def _begin(hints: Hints, key: str, day: int, policy: str, method: str) -> None:
    """The first message of the day, or the first under another policy: a report tells of the last policy."""

    def begun(head: DmarcDomain | None) -> DmarcDomain:
        if head is None:
            head = DmarcDomain()
            head.begin = day * DAY
        head.policy, head.method = policy, method
        return head

    hints.dmarc_domains.change(key, begun)


def _may_begin_row(hints: Hints, key: str, day: int) -> bool:
    """Take note of another kind of message; False if there are too many already."""
    if not _count_row(hints, key, ROWS_MAX):
        return False  # one domain cannot take the room of all others
    if _count_row(hints, f"{day} {_ALL}", TOTAL_MAX):
        return True
    hints.dmarc_domains.change(key, _omit)
    return False


def _omit(head: DmarcDomain | None) -> DmarcDomain | None:
    """What was counted as another kind of message is left out after all."""
    if head is not None:
        head.rows -= 1
        head.omitted += 1
    return head


def _count_row(hints: Hints, key: str, most: int) -> bool:
    has_room = False

    def counted(head: DmarcDomain | None) -> DmarcDomain:
        nonlocal has_room
        head = head or DmarcDomain()
        has_room = head.rows < most
        head.rows += has_room
        head.omitted += not has_room
        return head

    hints.dmarc_domains.change(key, counted)
    return has_room


def domains(hints: Hints) -> list[Gathered]:
    """All domains of all days, the oldest day first."""
    found = []
    for key, head in hints.dmarc_domains.items():
        day, _, domain = key.partition(" ")
        if day.isascii() and day.isdigit() and domain:
            found.append(Gathered(key, head))
    return sorted(found, key=lambda one: (one.day, one.domain))


def rows(hints: Hints, one: Gathered) -> Iterator[tuple[str, int, Row]]:
    """The kinds of messages from a domain: key, count, and what a report says of them."""
    for key, record in hints.dmarc_rows.items(f"{one.key} "):
        row = unpack(record.values, record.count)
        if row is not None:
            yield key, record.count, row


def forget(hints: Hints, one: Gathered, reported: dict[str, int], until: int) -> None:
    """A report has been sent about messages up to a time: by key, how many of each kind. Others stay. HintsError."""
    for key, count in reported.items():

        def less(record: DmarcRow | None, count: int = count) -> DmarcRow | None:
            if record is None or record.count <= count:
                return None
            record.count -= count
            return record

        hints.dmarc_rows.change(key, less)
    if until >= one.end:
        hints.dmarc_domains.delete(one.key)
        return

    def begun(head: DmarcDomain | None) -> DmarcDomain | None:
        if head is not None:
            head.begin = until
            head.rows = max(0, head.rows - len(reported))
            head.omitted = 0
        return head

    hints.dmarc_domains.change(one.key, begun)


def forget_days(hints: Hints, before: int) -> None:
    """Nothing of days that ended before a time is of use any more."""
    days = {key.partition(" ")[0] for key, _ in hints.dmarc_domains.items()}
    for day in days:
        if not (day.isascii() and day.isdigit()) or (int(day) + 1) * DAY <= before:
            for table in (hints.dmarc_rows, hints.dmarc_domains):
                for key in list(table.keys(f"{day} ")):
                    table.delete(key)


# A row as a list of texts.


def pack(row: Row) -> list[str]:
    """The values of a row, without its count."""
    values = [row.source_ip, row.header_from, row.disposition, row.dkim, row.spf, row.envelope_from]
    for reason in row.reasons:
        values += ["reason", reason.type, reason.comment]
    for dkim in row.dkim_results[:SIGNATURES_MAX]:
        values += ["dkim", dkim.domain, dkim.selector, dkim.result, dkim.human_result]
    for spf in row.spf_results:
        values += ["spf", spf.domain, spf.scope, spf.result]
    return [value[:TEXT_MAX] for value in values]


def unpack(values: list[str], count: int) -> Row | None:
    """The row, in characters; None if the values are not those of one."""
    texts = [value.encode("latin-1", "replace").decode("utf-8", "replace") for value in values]
    if len(texts) < 6:
        return None
    first, rest = texts[:6], iter(texts[6:])
    reasons, dkim, spf = [], [], []
    try:
        for word in rest:
            match word:
                case "reason":
                    reasons.append(Reason(next(rest), next(rest)))
                case "dkim":
                    domain, selector, result, words = next(rest), next(rest), next(rest), next(rest)
                    dkim.append(DkimResult(domain, result, selector, words))
                case "spf":
                    domain, scope, result = next(rest), next(rest), next(rest)
                    spf.append(SpfResult(domain, result, scope))
                case _:
                    return None
    except StopIteration:
        return None
    ip, author, disposition, dkim_aligned, spf_aligned, sender = first
    return Row(
        ip, count, author, disposition, dkim_aligned, spf_aligned, tuple(reasons), sender, "", tuple(dkim), tuple(spf)
    )

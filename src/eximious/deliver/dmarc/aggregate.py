"""An aggregate report made from what has been gathered (RFC 9990; under dmarc_mode = rfc7489, its appendix C)."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, Final

from eximious import __version__
from eximious.deliver.dmarc import gathered
from eximious.deliver.dmarc.sender import ReportSender, characters, expanded, report_sender
from eximious.mailauth.dmarc import record as records
from eximious.mailauth.reports.aggregate import Published, Reason, Report, Row

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.deliver.dmarc.gathered import Gathered
    from eximious.hints.store import Hints
    from eximious.mailauth.dmarc.record import Record

# Types of override reasons that RFC 9990 has dropped.
NEW_REASONS: Final = {"sampled_out": "policy_test_mode", "forwarded": "other"}


class Reporter:
    """Who reports."""

    __slots__ = ("contact", "domain", "is_rfc7489", "organization", "sender")

    def __init__(self, context: Context) -> None:
        main = context.config.main
        self.sender: ReportSender = report_sender(context, "dmarc_report_sender")
        self.domain = self.sender.address.rpartition("@")[2] or str(main.qualify_domain)
        self.organization = characters(expanded(context, "dmarc_report_organization")) or self.domain
        self.contact = characters(expanded(context, "dmarc_report_contact"))
        self.is_rfc7489 = main.dmarc_mode == "rfc7489"


class Made:
    """A report, and what it was made from: the keys of the rows, and how many messages of each."""

    __slots__ = ("keys", "messages", "receiver", "record", "report", "until")

    def __init__(self, report: Report, receiver: str, record: Record, keys: dict[str, int], until: int) -> None:
        self.report = report
        self.receiver = receiver  # the domain that reports
        self.until = until  # the report's end is the second before
        self.record = record
        self.keys = keys
        self.messages = sum(keys.values())


def make(hints: Hints, one: Gathered, until: int, reporter: Reporter) -> Made | None:
    """The report about a domain up to a time; None if there is nothing to tell, or nobody to tell it to."""
    record = records.parse(one.head.policy)
    if record is None or not record.aggregate_uris:
        return None
    found = list(gathered.rows(hints, one))
    if not found:
        return None
    rows = [dataclasses.replace(row, header_from=row.header_from or one.domain) for _, _, row in found]
    rows.sort(key=lambda row: (-row.count, row.source_ip, row.header_from))
    method = "" if reporter.is_rfc7489 else one.head.method
    report = Report(
        reporter.organization,
        reporter.sender.address,
        "",
        one.head.begin,
        max(one.head.begin, until - 1),
        _published(one.domain, record, method, is_rfc7489=reporter.is_rfc7489),
        tuple(rows if reporter.is_rfc7489 else (_renewed(row, one.domain, record) for row in rows)),
        reporter.contact,
        (f"{one.head.omitted} messages of further kinds are left out",) if one.head.omitted else (),
        "" if reporter.is_rfc7489 else f"Eximious {__version__}",
        reporter.is_rfc7489,
    )
    report = dataclasses.replace(report, report_id=_report_id(report, reporter.domain))
    return Made(report, reporter.domain, record, {key: count for key, count, _ in found}, until)


def _report_id(report: Report, receiver: str) -> str:
    """The same for the same report, so that one that is sent twice is counted once."""
    return hashlib.sha256(receiver.encode("latin-1", "replace") + report.to_xml()).hexdigest()[:32]


def _published(domain: str, record: Record, method: str, *, is_rfc7489: bool) -> Published:
    """The record's policy; what it does not say has its default, where the schema wants it."""
    default = str(record.policy) if is_rfc7489 else ""
    return Published(
        domain,
        str(record.policy),
        str(record.subdomain_policy or default),
        str(record.nonexistent_policy or ""),
        "s" if record.is_dkim_strict else "r",
        "s" if record.is_spf_strict else "r",
        record.percent if is_rfc7489 else None,
        ":".join(sorted(record.failure_options)),
        method,
        "" if is_rfc7489 else "ny"[record.is_testing],
    )


def _renewed(row: Row, domain: str, record: Record) -> Row:
    """The row in the words of RFC 9990."""
    disposition = row.disposition
    policy = record.policy if row.header_from == domain else record.for_subdomain()
    if disposition == "none" and "pass" in (row.dkim, row.spf) and str(policy) != "none":
        disposition = "pass"
    reasons = tuple(Reason(NEW_REASONS.get(one.type, one.type), one.comment) for one in row.reasons)
    spf = tuple(dataclasses.replace(one, scope="mfrom") for one in row.spf_results[:1])
    return dataclasses.replace(row, disposition=disposition, reasons=reasons, spf_results=spf)

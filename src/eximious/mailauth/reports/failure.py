"""Failure reports: messages in the Abuse Reporting Format (RFC 5965) with the fields of RFC 6591 and RFC 9991."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from eximious.mailauth.message import Headers, split

ORIGINAL_LIMIT: Final = 100_000  # octets of the message that are sent along
FIELD_LIMIT: Final = 2000  # octets of one field of a report

_LINE_END: Final = re.compile(r"[\r\n]+")
_BOUNDARY: Final = re.compile(r'boundary[ \t]*=[ \t]*(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)


class FailureFault(ValueError):
    """The message is not a failure report."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a report says. `arrival` is a UNIX time; `alignment` the identifiers that were not aligned."""

    reported_domain: str
    source_ip: str
    auth_failure: str = "dmarc"  # dmarc, dkim, spf, bodyhash, revoked, signature, adsp
    alignment: tuple[str, ...] = ("none",)  # dkim, spf, none
    delivery_result: str = ""  # delivered, spam, policy, reject, other
    original_mail_from: str = ""
    original_rcpt_to: str = ""
    authentication_results: str = ""
    arrival: float | None = None
    arrival_text: str = ""  # as it was written, in a report that was read
    message_id: str = ""
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_identity: str = ""
    spf_dns: str = ""
    reporting_mta: str = ""
    incidents: int = 1
    original: bytes = b""  # the message, or its header

    def fields(self) -> list[tuple[str, str]]:
        """The fields of the report's second part."""
        arrival = formatdate(self.arrival) if self.arrival is not None else self.arrival_text
        found = [
            ("Feedback-Type", "auth-failure"),
            ("User-Agent", "Eximious/1"),
            ("Version", "1"),
            ("Auth-Failure", self.auth_failure),
            ("Identity-Alignment", ", ".join(self.alignment)),
            ("Reported-Domain", self.reported_domain),
            ("Source-IP", self.source_ip),
            ("Original-Mail-From", f"<{self.original_mail_from}>" if self.original_mail_from else ""),
            ("Original-Rcpt-To", f"<{self.original_rcpt_to}>" if self.original_rcpt_to else ""),
            ("Arrival-Date", arrival),
            ("Message-ID", self.message_id),
            ("Authentication-Results", self.authentication_results),
            ("Delivery-Result", self.delivery_result),
            ("Reporting-MTA", f"dns; {self.reporting_mta}" if self.reporting_mta else ""),
            ("DKIM-Domain", self.dkim_domain),
            ("DKIM-Selector", self.dkim_selector),
            ("DKIM-Identity", self.dkim_identity),
            ("SPF-DNS", self.spf_dns),
            ("Incidents", str(self.incidents) if self.incidents != 1 else ""),
        ]
        return [(name, _clean(value)) for name, value in found if value]


def _clean(text: str) -> str:
    return _LINE_END.sub(" ", text)[:FIELD_LIMIT]


def to_mail(
    failure: Failure, *, sender: str, recipient: str, message_id: str, now: float, with_body: bool = False
) -> bytes:
    """The mail to send, with CRLF. Only the header of the message goes along unless `with_body` says otherwise."""
    headers, body = split(failure.original)
    original = b"".join(field.raw for field in headers.fields)
    kind = "text/rfc822-headers"
    if with_body:
        kind, original = "message/rfc822", original + b"\r\n" + body
    original = original[:ORIGINAL_LIMIT]
    encoding = [] if original.isascii() else ["Content-Transfer-Encoding: 8bit"]
    boundary = f"failure-{zlib.crc32(original + message_id.encode()):08x}-{int(now)}"
    report = "\r\n".join(f"{name}: {value}" for name, value in failure.fields())
    lines = [
        f"From: {_clean(sender)}",
        f"To: {_clean(recipient)}",
        f"Subject: FW: {_clean(_subject(headers))}",
        f"Date: {formatdate(now)}",
        f"Message-ID: <{message_id}>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=feedback-report; boundary="{boundary}"',
        *encoding,
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        f"A message that claims to be from {failure.reported_domain} came from {failure.source_ip}",
        "and was not authenticated in the way that the domain's DMARC record asks for.",
        "",
        f"--{boundary}",
        "Content-Type: message/feedback-report",
        "",
        report,
        "",
        f"--{boundary}",
        f"Content-Type: {kind}",
        *encoding,
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1", "replace") + original + f"\r\n--{boundary}--\r\n".encode()


def _subject(headers: Headers) -> str:
    found = headers.all(b"subject")
    return found[0].text.strip() if found else "(no subject)"


def read(message: bytes) -> Failure:
    """Read a report. Raises FailureFault."""
    headers, body = split(message)
    kinds = headers.all(b"content-type")
    text = kinds[0].text if kinds else ""
    boundary = _BOUNDARY.search(text[:FIELD_LIMIT])
    if "multipart/report" not in text.lower() or boundary is None:
        raise FailureFault("the message is not a report")
    mark = b"--" + (boundary[1] or boundary[2]).encode("latin-1", "replace")
    report: Headers | None = None
    original = b""
    for part in (b"\r\n" + body).split(b"\r\n" + mark)[1:20]:
        inner, content = split(part.partition(b"\r\n")[2])
        kind = inner.all(b"content-type")[0].text.strip().lower() if inner.all(b"content-type") else "text/plain"
        if kind.startswith("message/feedback-report"):
            report = split(content + b"\r\n")[0]
        elif kind.startswith(("message/rfc822", "text/rfc822")):
            original = content
    if report is None or _one(report, "feedback-type").lower() != "auth-failure":
        raise FailureFault("the report is not about authentication")
    return _failure(report, original)


def _failure(report: Headers, original: bytes) -> Failure:
    incidents = _one(report, "incidents")
    alignment = tuple(word.strip().lower() for word in _one(report, "identity-alignment").split(",") if word.strip())
    return Failure(
        _one(report, "reported-domain"),
        _one(report, "source-ip"),
        _one(report, "auth-failure").lower() or "dmarc",
        alignment or ("none",),
        _one(report, "delivery-result").lower(),
        _one(report, "original-mail-from").strip("<>"),
        _one(report, "original-rcpt-to").strip("<>"),
        _one(report, "authentication-results"),
        None,
        _one(report, "arrival-date"),
        _one(report, "message-id"),
        _one(report, "dkim-domain"),
        _one(report, "dkim-selector"),
        _one(report, "dkim-identity"),
        _one(report, "spf-dns"),
        _one(report, "reporting-mta").partition(";")[2].strip(),
        int(incidents) if incidents.isdigit() and incidents.isascii() and len(incidents) < 10 else 1,
        original,
    )


def _one(headers: Headers, name: str) -> str:
    found = headers.all(name.encode("ascii"))
    return _clean(found[0].text).strip() if found else ""

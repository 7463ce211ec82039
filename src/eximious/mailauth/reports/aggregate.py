"""Aggregate reports: records, XML in both forms, the attachment and the mail.

>>> report = Report("example.net", "d@example.net", "1", 1_700_000_000, 1_700_086_400, Published("example.org"))
>>> report.file_name("example.net")
'example.net!example.org!1700000000!1700086400!1.xml.gz'
>>> read(packed(report)) == report
True
"""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final
from xml.sax.saxutils import escape

from eximious.mailauth.reports.tree import Element, XmlFault, parse

SIZE_LIMIT: Final = 64 << 20  # octets of a report, unpacked
PART_LIMIT: Final = 50  # parts of a mail that are looked at
# What the part with the report is called; the older ones for what is sent in fact.
TYPES: Final = frozenset({
    "application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed", "application/xml",
    "application/octet-stream", "text/xml",
})  # fmt: skip
NAMESPACE: Final = "urn:ietf:params:xml:ns:dmarc-2.0"

_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class ReportFault(ValueError):
    """What came is not an aggregate report."""


@dataclass(frozen=True, slots=True)
class Published:
    """The policy that was found, with RFC 9990's np, discovery_method and testing."""

    domain: str
    policy: str = "none"
    subdomain_policy: str = ""
    nonexistent_policy: str = ""
    adkim: str = "r"
    aspf: str = "r"
    percent: int | None = None
    failure_options: str = ""
    discovery_method: str = ""
    testing: str = ""


@dataclass(frozen=True, slots=True)
class DkimResult:
    """One signature's result."""

    domain: str
    result: str
    selector: str = ""
    human_result: str = ""


@dataclass(frozen=True, slots=True)
class SpfResult:
    """The result of SPF; `scope` is mfrom or helo."""

    domain: str
    result: str
    scope: str = "mfrom"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something else was done than the policy asks for."""

    type: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Messages that are alike. `dkim` and `spf` are the results of alignment: pass or fail."""

    source_ip: str
    count: int
    header_from: str
    disposition: str = "none"
    dkim: str = "fail"
    spf: str = "fail"
    reasons: tuple[Reason, ...] = ()
    envelope_from: str = ""
    envelope_to: str = ""
    dkim_results: tuple[DkimResult, ...] = ()
    spf_results: tuple[SpfResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report of the messages from `begin` to `end` (UNIX times)."""

    organization: str
    email: str
    report_id: str
    begin: int
    end: int
    published: Published
    rows: tuple[Row, ...] = ()
    contact: str = ""
    errors: tuple[str, ...] = ()
    generator: str = ""
    is_rfc7489: bool = field(default=False)

    def file_name(self, receiver: str) -> str:
        """The attachment's name (RFC 9990 section 3.5.2)."""
        name = f"{receiver}!{self.published.domain}!{self.begin}!{self.end}!{self.report_id}.xml.gz"
        return re.sub(r"[^A-Za-z0-9!._-]", "_", name)

    def to_xml(self) -> bytes:
        """The document, in the form of RFC 9990, or that of RFC 7489 if the report is so."""
        return _document(self).encode("utf-8")


# Making.


def _document(report: Report) -> str:
    begin = "<feedback>" if report.is_rfc7489 else f'<feedback xmlns="{NAMESPACE}">'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', begin, "  <version>1.0</version>", "  <report_metadata>"]
    lines += _tags(4, org_name=report.organization, email=report.email, extra_contact_info=report.contact)
    lines += _tags(4, report_id=report.report_id)
    lines += ["    <date_range>", *_tags(6, begin=str(report.begin), end=str(report.end)), "    </date_range>"]
    lines += [line for error in report.errors for line in _tags(4, error=error)]
    if not report.is_rfc7489:
        lines += _tags(4, generator=report.generator)
    lines += ["  </report_metadata>", "  <policy_published>", *_published(report), "  </policy_published>"]
    for row in report.rows:
        lines += _row(row, is_rfc7489=report.is_rfc7489)
    return "\n".join([*lines, "</feedback>", ""])


def _published(report: Report) -> list[str]:
    one = report.published
    if report.is_rfc7489:
        percent = "100" if one.percent is None else str(one.percent)
        last = {"pct": percent, "fo": one.failure_options}
    else:
        last = {"np": one.nonexistent_policy, "fo": one.failure_options}
        last |= {"discovery_method": one.discovery_method, "testing": one.testing}
    first = {"domain": one.domain, "adkim": one.adkim, "aspf": one.aspf, "p": one.policy, "sp": one.subdomain_policy}
    return _tags(4, **first, **last)


def _row(row: Row, *, is_rfc7489: bool) -> list[str]:
    lines = ["  <record>", "    <row>", *_tags(6, source_ip=row.source_ip, count=str(row.count))]
    lines += ["      <policy_evaluated>", *_tags(8, disposition=row.disposition, dkim=row.dkim, spf=row.spf)]
    for reason in row.reasons:
        lines += ["        <reason>", *_tags(10, type=reason.type, comment=reason.comment), "        </reason>"]
    lines += ["      </policy_evaluated>", "    </row>", "    <identifiers>"]
    lines += _tags(6, envelope_to=row.envelope_to)
    # That of RFC 7489 may be empty, but must be there.
    lines += _tags(6, envelope_from=row.envelope_from) or ["      <envelope_from></envelope_from>"] * is_rfc7489
    lines += _tags(6, header_from=row.header_from)
    lines += ["    </identifiers>", "    <auth_results>"]
    for dkim in row.dkim_results:
        lines += ["      <dkim>", *_tags(8, domain=dkim.domain, selector=dkim.selector, result=dkim.result)]
        lines += [*_tags(8, human_result=dkim.human_result), "      </dkim>"]
    for spf in row.spf_results:
        lines += ["      <spf>", *_tags(8, domain=spf.domain, scope=spf.scope, result=spf.result), "      </spf>"]
    return [*lines, "    </auth_results>", "  </record>"]


def _tags(indent: int, **values: str) -> list[str]:
    """Elements with text; those without are left out."""
    space = " " * indent
    return [f"{space}<{name}>{_text(value)}</{name}>" for name, value in values.items() if value]


def _text(value: str) -> str:
    return escape(_UNPRINTABLE.sub("?", value))


def packed(report: Report) -> bytes:
    """The document, compressed; equal reports give equal octets."""
    return gzip.compress(report.to_xml(), mtime=0)


def to_mail(report: Report, *, receiver: str, sender: str, recipients: list[str], message_id: str, now: float) -> bytes:
    """The mail to send (RFC 9990 section 3.5.2), with CRLF. `receiver` is the domain that reports."""
    name = report.file_name(receiver)
    boundary = f"report-{zlib.crc32(name.encode()):08x}-{report.begin}"
    data = base64.encodebytes(packed(report)).decode("ascii")
    subject = f"Report Domain: {report.published.domain} Submitter: {receiver} Report-ID: <{report.report_id}>"
    text = (
        f"This is an aggregate report about mail that claims to be from {report.published.domain}.\n"
        f"It was received at {receiver} from {formatdate(report.begin)} to {formatdate(report.end)}.\n"
    )
    lines = [
        f"From: {sender}",
        f"To: {', '.join(recipients)}",
        f"Subject: {subject}",
        f"Date: {formatdate(now)}",
        f"Message-ID: <{message_id}>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        text,
        f"--{boundary}",
        f'Content-Type: application/gzip; name="{name}"',
        f'Content-Disposition: attachment; filename="{name}"',
        "Content-Transfer-Encoding: base64",
        "",
        data,
        f"--{boundary}--",
        "",
    ]
    header_end = lines.index("")
    safe = [re.sub(r"[\r\n]+", " ", line) for line in lines[:header_end]] + lines[header_end:]
    return "\n".join(safe).encode("utf-8").replace(b"\n", b"\r\n")


# Reading.


def read(data: bytes) -> Report:
    """Read a report: XML, or that compressed by gzip or in a ZIP archive. Raises ReportFault."""
    try:
        root = parse(unpacked(data))
    except XmlFault as fault:
        raise ReportFault(str(fault)) from None
    if root.name != "feedback":
        raise ReportFault("the document is not a DMARC report")
    metadata, published = root.child("report_metadata"), root.child("policy_published")
    if metadata is None or published is None:
        raise ReportFault("the report has no metadata or no policy")
    dates = metadata.child("date_range") or Element("date_range")
    return Report(
        metadata.text_of("org_name"),
        metadata.text_of("email"),
        metadata.text_of("report_id"),
        _number(dates.text_of("begin")),
        _number(dates.text_of("end")),
        _read_published(published),
        tuple(_read_row(record) for record in root.all("record")),
        metadata.text_of("extra_contact_info"),
        tuple(one.text for one in metadata.all("error")),
        metadata.text_of("generator"),
        root.namespace != NAMESPACE,
    )


def _read_published(one: Element) -> Published:
    percent = one.text_of("pct")
    return Published(
        one.text_of("domain"),
        one.text_of("p") or "none",
        one.text_of("sp"),
        one.text_of("np"),
        one.text_of("adkim") or "r",
        one.text_of("aspf") or "r",
        _number(percent) if percent else None,
        one.text_of("fo"),
        one.text_of("discovery_method"),
        one.text_of("testing"),
    )


def _read_row(record: Element) -> Row:
    row = record.child("row") or Element("row")
    evaluated = row.child("policy_evaluated") or Element("policy_evaluated")
    identifiers = record.child("identifiers") or record.child("identities") or Element("identifiers")
    results = record.child("auth_results") or Element("auth_results")
    dkim = [
        DkimResult(one.text_of("domain"), one.text_of("result"), one.text_of("selector"), one.text_of("human_result"))
        for one in results.all("dkim")
    ]
    spf = [
        SpfResult(one.text_of("domain"), one.text_of("result"), one.text_of("scope") or "mfrom")
        for one in results.all("spf")
    ]
    return Row(
        row.text_of("source_ip"),
        _number(row.text_of("count")),
        identifiers.text_of("header_from"),
        evaluated.text_of("disposition") or "none",
        evaluated.text_of("dkim") or "fail",
        evaluated.text_of("spf") or "fail",
        tuple(Reason(one.text_of("type"), one.text_of("comment")) for one in evaluated.all("reason")),
        identifiers.text_of("envelope_from"),
        identifiers.text_of("envelope_to"),
        tuple(dkim),
        tuple(spf),
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise ReportFault(f'"{text[:20]}" is no number')
    return int(text)


def unpacked(data: bytes) -> bytes:
    """The document, whatever it came in; a small file that would become a huge one is refused. Raises ReportFault."""
    try:
        if data.startswith(b"\x1f\x8b"):
            found = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, SIZE_LIMIT + 1)
        elif data.startswith(b"PK"):
            found = _from_zip(data)
        else:
            found = data
    except (zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise ReportFault(f"the report cannot be unpacked: {error}") from None
    if len(found) > SIZE_LIMIT:
        raise ReportFault("the report is too large")
    return found


def from_mail(data: bytes) -> Report:
    """Read a report out of the mail that brought it; a report alone is read as well. Raises ReportFault."""
    if data.lstrip()[:1] == b"<" or data.startswith((b"\x1f\x8b", b"PK")):
        return read(data)
    import email

    for number, part in enumerate(email.message_from_bytes(data[:SIZE_LIMIT]).walk()):
        if number >= PART_LIMIT:
            break
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and part.get_content_type() in TYPES:
            return read(payload)
    raise ReportFault("the mail has no report")


def _from_zip(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        if len(names) != 1:
            raise ReportFault(f"the archive has {len(names)} files")
        with archive.open(names[0]) as file:
            return file.read(SIZE_LIMIT + 1)

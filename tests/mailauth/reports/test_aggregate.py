from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.message import split
from eximious.mailauth.reports.aggregate import (
    DkimResult,
    Published,
    Reason,
    Report,
    ReportFault,
    Row,
    SpfResult,
    packed,
    read,
    to_mail,
)

FULL = Report(
    "Receiver & Sons",
    "dmarc@example.net",
    "2024.1",
    1_700_000_000,
    1_700_086_399,
    Published("example.org", "reject", "none", "quarantine", "s", "r", None, "1:d", "treewalk", "n"),
    (
        Row(
            "2001:db8::1",
            3,
            "example.org",
            "reject",
            "fail",
            "pass",
            (Reason("local_policy", "arc=pass <x>"),),
            "mail.example.org",
            "example.net",
            (DkimResult("example.com", "fail", "s1", "body hash"), DkimResult("example.org", "pass")),
            (SpfResult("example.org", "pass", "helo"),),
        ),
        Row("192.0.2.1", 1, "example.org"),
    ),
    "https://example.net/dmarc",
    ("one", "two"),
    "Eximious",
)
OLD = Report("a", "b@c", "1", 1, 2, Published("example.org", percent=50), FULL.rows, is_rfc7489=True)


@pytest.mark.parametrize("report", [FULL, OLD])
def test_there_and_back(report: Report) -> None:
    assert read(report.to_xml()) == report
    assert read(packed(report)) == report
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("report.xml", report.to_xml())
    assert read(archive.getvalue()) == report


def test_both_forms() -> None:
    assert b"urn:ietf:params:xml:ns:dmarc-2.0" in FULL.to_xml()
    assert b"<np>quarantine</np>" in FULL.to_xml()
    assert b"<pct>" not in FULL.to_xml()
    assert b"<pct>50</pct>" in OLD.to_xml()
    assert b"<feedback>" in OLD.to_xml()


def test_mail() -> None:
    mail = to_mail(
        FULL,
        receiver="example.net",
        sender="d@example.net",
        recipients=["r@example.org\r\nX: y"],
        message_id="1@x",
        now=0,
    )
    headers, body = split(mail)
    assert headers.all(b"subject")[0].text == " Report Domain: example.org Submitter: example.net Report-ID: <2024.1>"
    assert not headers.all(b"x")
    assert b'filename="example.net!example.org!1700000000!1700086399!2024.1.xml.gz"' in body
    assert b"\n" not in mail.replace(b"\r\n", b"")


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><feedback>&b;</feedback>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<x/>",
        b"<feedback/>",
        b"<feedback><report_metadata/><policy_published/></feedback>",
        b"no xml",
        BOMB,
        b"<a>" * 1000,
        b"\x1f\x8b junk",
        b"PK junk",
        gzip.compress(bytes(70 << 20)),
        OLD.to_xml().replace(b"<count>3<", b"<count>-3<"),
    ],
    ids=range(11),
)
def test_what_is_no_report(data: bytes) -> None:
    with pytest.raises(ReportFault):
        read(data)


@given(st.binary(max_size=200), st.integers(0, 3000))
def test_anything(data: bytes, at: int) -> None:
    xml = FULL.to_xml()
    for one in (data, b"\x1f\x8b" + data, b"PK" + data, xml[:at] + data + xml[at:]):
        try:
            read(one)
        except ReportFault:
            continue


@given(st.text(max_size=50))
def test_any_text_can_be_written(text: str) -> None:
    report = Report(text, text, "1", 1, 2, Published("example.org"))
    assert read(report.to_xml()).published == report.published

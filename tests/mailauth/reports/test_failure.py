from __future__ import annotations

import asyncio
import dataclasses
import email

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.dmarc import Method, ReportUri
from eximious.mailauth.reports.destination import authorised
from eximious.mailauth.reports.failure import Failure, FailureFault, read, to_mail
from eximious.mailauth.resolver import StaticResolver

MESSAGE = b"From: joe@example.org\r\nSubject: lunch\r\n today\r\n\r\nsecret body\r\n"
FAILURE = Failure(
    "example.org",
    "192.0.2.1",
    alignment=("dkim", "spf"),
    delivery_result="reject",
    original_mail_from="joe@example.net",
    original_rcpt_to="jane@example.com\r\nX-Injected: 1",
    authentication_results="mx.example; dmarc=fail",
    arrival=0,
    dkim_domain="example.net",
    reporting_mta="mx.example",
    incidents=2,
    original=MESSAGE,
)


def made(**options: bool) -> bytes:
    return to_mail(FAILURE, sender="d@mx.example", recipient="f@example.org", message_id="1@mx", now=1, **options)


def test_there_and_back() -> None:
    found = read(made())
    assert (found.reported_domain, found.source_ip, found.alignment) == ("example.org", "192.0.2.1", ("dkim", "spf"))
    assert (found.delivery_result, found.incidents, found.reporting_mta) == ("reject", 2, "mx.example")
    assert found.original_rcpt_to == "jane@example.com X-Injected: 1"
    assert found.arrival_text == "Thu, 01 Jan 1970 00:00:00 -0000"
    assert b"secret" not in found.original
    assert b"secret" in read(made(with_body=True)).original


def test_octets_that_are_not_ascii_are_announced() -> None:
    mail = to_mail(
        dataclasses.replace(FAILURE, original=b"From: \xe4@b\r\n\r\n"),
        sender="a@b",
        recipient="c@d",
        message_id="1",
        now=1,
    )
    assert mail.count(b"\r\nContent-Transfer-Encoding: 8bit\r\n") == 2
    assert b"8bit" not in made()


def test_the_standard_library_reads_it() -> None:
    parsed = email.message_from_bytes(made())
    assert parsed.get_content_type() == "multipart/report"
    assert parsed.get_param("report-type") == "feedback-report"
    assert [part.get_content_type() for part in parsed.get_payload()] == [  # type: ignore[union-attr]
        "text/plain",
        "message/feedback-report",
        "text/rfc822-headers",
    ]


@pytest.mark.parametrize("message", [b"", MESSAGE, made().replace(b"auth-failure", b"abuse"), made()[:400]])
def test_no_report(message: bytes) -> None:
    with pytest.raises(FailureFault):
        read(message)


@given(st.binary(max_size=100), st.integers(0, 1500))
def test_anything(data: bytes, at: int) -> None:
    message = made()
    try:
        read(message[:at] + data + message[at:])
    except FailureFault:
        return


def test_a_place_may_name_another_address_of_its_own() -> None:
    name = "example.org._report._dmarc.agreed.example"
    resolver = StaticResolver(
        {
            "_dmarc.example.org": {"TXT": ["v=DMARC1; p=none"]},
            name: {"TXT": ["v=DMARC1; rua=mailto:new@agreed.example,mailto:x@victim.example!1k; ruf=mailto:f@other"]},
        }
    )
    uris = [ReportUri("mailto:d@agreed.example"), ReportUri("mailto:e@agreed.example")]
    found = asyncio.run(authorised("example.org", uris, resolver))
    assert [uri.uri for uri in found] == ["mailto:new@agreed.example"]
    found = asyncio.run(authorised("example.org", uris, resolver, tag="ruf"))
    assert found == uris  # the other place's address does not count


def test_who_may_be_sent_reports() -> None:
    resolver = StaticResolver(
        {
            "_dmarc.example.org": {"TXT": ["v=DMARC1; p=none"]},
            "example.org._report._dmarc.agreed.example": {"TXT": ["v=DMARC1"]},
            "example.org._report._dmarc.wrong.example": {"TXT": ["v=spf1"]},
            "example.org._report._dmarc.failing.example": None,
        }
    )
    places = ["example.org", "sub.example.org", "agreed.example", "wrong.example", "failing.example", "other.example"]
    uris = [ReportUri(f"mailto:d@{place}") for place in places]
    for method in Method:
        found = asyncio.run(authorised("example.org", uris, resolver, method=method))
        assert [uri.domain for uri in found] == ["example.org", "sub.example.org", "agreed.example"]

"""Failure reports: when they are sent, to whom, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.deliver.dmarc import limits
from eximious.hints.memory import MemoryHints
from eximious.mailauth import dkim
from tests.deliver.dmarc_place import ZONE, Place


def record(tags: str, *more: str) -> str:
    return "\n".join([f'_dmarc.test.ex TXT "v=DMARC1; {tags}"', 'test.ex TXT "v=spf1 ip4:192.0.2.8 -all"', *more, ""])


def test_what_it_says(tmp_path: Path) -> None:
    place = Place(tmp_path, "dmarc_forensic_sender = Failures <fail@mail.test>")
    assert place.receive(headers="Subject: other\r\n") == "550"
    ((sender, recipients, text),) = place.sent()
    assert (sender, recipients) == ("fail@mail.test", ["fail@test.ex"])
    assert b"From: Failures <fail@mail.test>\n" in text
    assert b"Auto-Submitted: auto-generated\n" in text
    (report,) = place.failure_reports()
    assert (report.reported_domain, report.source_ip, report.auth_failure) == ("test.ex", "192.0.2.7", "dmarc")
    assert (report.alignment, report.delivery_result, report.incidents) == (("dkim", "spf"), "reject", 1)
    assert (report.original_mail_from, report.reporting_mta) == ("joe@test.ex", "mail.test")
    assert report.spf_dns == 'txt : test.ex : "v=spf1 ip4:192.0.2.8 -all"'
    assert report.authentication_results == (
        "mail.test; spf=fail smtp.mailfrom=test.ex; dmarc=fail header.from=test.ex"
    )
    assert report.original.startswith(b"From: joe@test.ex\r\n")
    assert b"secret" not in text
    assert place.logs.lines[-1] == "main: DMARC: failure report about test.ex sent to fail@test.ex"


def test_with_the_body(tmp_path: Path) -> None:
    place = Place(tmp_path, "dmarc_failure_with_body")
    place.receive()
    assert place.failure_reports()[0].original.endswith(b"\r\n\r\nsecret\r\n")


WANTED = [
    # the record, the client, the headers, whether a report is sent
    ("p=reject; ruf=mailto:f@test.ex", "192.0.2.7", "", True),
    ("p=reject; ruf=mailto:f@test.ex", "192.0.2.8", "", False),
    ("p=none; ruf=mailto:f@test.ex", "192.0.2.7", "", True),  # Exim keeps silent here
    ("p=reject; fo=1; ruf=mailto:f@test.ex", "192.0.2.8", "", True),
    ("p=reject; fo=s; ruf=mailto:f@test.ex", "192.0.2.7", "", True),
    ("p=reject; fo=d; ruf=mailto:f@test.ex", "192.0.2.7", "", False),
    ("p=reject; psd=y; ruf=mailto:f@test.ex", "192.0.2.7", "", False),
    ("p=reject", "192.0.2.7", "", False),
    ("p=reject; ruf=https://test.ex/f", "192.0.2.7", "", False),
    ("p=reject; ruf=mailto:f@other.example", "192.0.2.7", "", False),
    ("p=reject; ruf=mailto:f@agreed.example", "192.0.2.7", "", True),
    ("p=reject; ruf=mailto:f@test.ex", "192.0.2.7", "Auto-Submitted: auto-generated\r\n", False),
    ("p=reject; ruf=mailto:f@test.ex", "192.0.2.7", "Auto-Submitted: no\r\n", True),
    ("p=reject; ruf=mailto:f@test.ex", "192.0.2.7", "Content-Type: multipart/report; boundary=x\r\n", False),
]


@pytest.mark.parametrize(("tags", "address", "headers", "is_sent"), WANTED)
def test_when_one_is_sent(tags: str, address: str, headers: str, is_sent: bool, tmp_path: Path) -> None:
    zone = record(tags, 'test.ex._report._dmarc.agreed.example TXT "v=DMARC1"')
    place = Place(tmp_path, zone=zone)
    place.receive(address=address, headers=headers)
    assert bool(place.failure_reports()) is is_sent


KEY = dkim.PrivateKey.load("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")


@pytest.mark.parametrize(
    ("body", "key", "kind"),
    [
        (b"other\r\n", KEY.record(), "bodyhash"),
        (b"secret\r\n", KEY.record(), "signature"),
        (b"secret\r\n", "v=DKIM1; k=ed25519; p=", "revoked"),
    ],
)
def test_a_signature_that_fails(body: bytes, key: str, kind: str, tmp_path: Path) -> None:
    signed = dkim.sign(b"From: j@test.ex\r\n\r\n" + body, dkim.Signer("test.ex", "s", KEY, identity="@test.ex"))
    field = signed.partition(b"\r\nFrom: ")[0].decode() + "\r\n"
    zone = record("p=reject; fo=d; ruf=mailto:f@test.ex", f's._domainkey.test.ex TXT "{key}"')
    place = Place(tmp_path, zone=zone)
    place.receive(address="192.0.2.8", headers=field)  # which SPF lets pass
    (report,) = place.failure_reports()
    assert (report.auth_failure, report.alignment, report.delivery_result) == (kind, ("dkim",), "delivered")
    assert (report.dkim_domain, report.dkim_selector, report.dkim_identity) == ("test.ex", "s", "@test.ex")


SENDERS = [
    ("dmarc_forensic_sender = F <f@mail.test>", ("f@mail.test", "F <f@mail.test>")),
    ("", ("dmarc@mail.test", "DMARC reports <dmarc@mail.test>")),
    ("dmarc_report_sender =", ("", "Mail Delivery System <Mailer-Daemon@test.ex>")),
    ("dmarc_forensic_sender = nobody\ndmarc_report_sender =", ("", "Mail Delivery System <Mailer-Daemon@test.ex>")),
    ("dmarc_forensic_sender = ${if\ndmarc_report_sender =", ("", "Mail Delivery System <Mailer-Daemon@test.ex>")),
]


@pytest.mark.parametrize(("main", "expected"), SENDERS)
def test_who_sends_it(main: str, expected: tuple[str, str], tmp_path: Path) -> None:
    place = Place(tmp_path, main)
    place.receive()
    ((sender, _, text),) = place.sent()
    assert (sender, f"From: {expected[1]}".encode() in text.split(b"\n")) == (expected[0], True)


def test_not_unless_an_acl_wants_it(tmp_path: Path) -> None:
    place = Place(tmp_path, rcpt="accept")
    place.receive()
    assert place.sent() == []


def test_the_older_name_of_the_control(tmp_path: Path) -> None:
    place = Place(tmp_path, rcpt="accept control = dmarc_forensic_enable")
    place.receive()
    assert len(place.failure_reports()) == 1


def test_an_address_that_takes_no_more_than_so_much(tmp_path: Path) -> None:
    suffixes = tmp_path / "suffixes"
    suffixes.write_text("ex\n")
    main = f"dmarc_mode = rfc7489\ndmarc_tld_file = {suffixes}"
    place = Place(tmp_path, main, zone=record("p=reject; ruf=mailto:small@test.ex!1k,mailto:large@test.ex!1m"))
    place.receive()
    assert [recipients for _, recipients, _ in place.sent()] == [["large@test.ex"]]
    assert "main: DMARC: failure report is too large for small@test.ex" in place.logs.lines


def test_like_failures_are_told_of_once_an_hour(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for _ in range(5):
        place.receive()
    assert [report.incidents for report in place.failure_reports()] == [1]
    place.receive(address="192.0.2.9")
    assert len(place.failure_reports()) == 2
    place.time += limits.WINDOW
    place.receive()
    assert [report.incidents for report in place.failure_reports()] == [1, 1, 5]


def test_no_more_than_the_limit_an_hour(tmp_path: Path) -> None:
    place = Place(tmp_path, "dmarc_failure_reports_max = 3")
    for number in range(10, 20):
        place.receive(address=f"192.0.2.{number}")
    assert len(place.failure_reports()) == 3
    place.receive("x@watch.ex")  # another domain has a limit of its own
    assert len(place.failure_reports()) == 4
    place.time += limits.WINDOW
    place.receive(address="192.0.2.20")
    assert len(place.failure_reports()) == 5


def test_limit_of_all_domains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOTAL_MAX", 2)
    hints = MemoryHints(now=lambda: 0.0)
    counts = [limits.incidents(hints, 100.0, f"{number}.ex", ("a",), 0) for number in range(4)]
    assert counts == [1, 1, 0, 0]
    assert len(list(hints.dmarc_failures.items())) == 5  # two domains, two failures, and all


def test_what_is_old_is_forgotten() -> None:
    hints = MemoryHints(now=lambda: 0.0)
    limits.incidents(hints, 100.0, "a.ex", ("a",), 1)
    assert limits.incidents(hints, 100.0 + 2 * limits.WINDOW, "b.ex", ("a",), 1) == 1
    assert sorted(key.partition(" ")[0] for key, _ in hints.dmarc_failures.items()) == ["all", "domain", "like"]


def test_a_report_that_an_acl_refuses(tmp_path: Path) -> None:
    place = Place(tmp_path, "acl_not_smtp = deny", zone=ZONE)
    assert place.receive() == "550"
    assert place.sent() == []
    assert "main: DMARC: failed to send failure report to fail@test.ex: refused" in place.logs.lines

"""Aggregate reports: from received messages, over the hints, to the mails that bring them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.deliver.dmarc import gathered, sending
from eximious.hints.memory import MemoryHints
from eximious.mailauth.reports.aggregate import DkimResult, Reason, Row, SpfResult
from eximious.spool.errors import SpoolError
from tests.deliver.dmarc_place import Place, attached

DAY = gathered.DAY
MORNING = 18 * 3600  # from noon to the next day at six, when all reports are due


def results(place: Place, **wanted: bool) -> list[tuple[str, str, list[str]]]:
    found = sending.run(place.services, sending.Wanted(**wanted))  # type: ignore[arg-type]
    return [(one.made.report.published.domain, one.outcome, one.recipients) for one in found]


def test_from_reception_to_the_report(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.receive()
    place.receive()
    place.receive(address="192.0.2.8")
    place.receive("x@sub.test.ex")
    place.queue.messages.clear()
    place.time += MORNING
    sending.run_due(place.services)
    mails = place.sent()
    assert [(sender, recipients) for sender, recipients, _ in mails] == [
        ("dmarc@mail.test", ["agg@test.ex"]),
        ("dmarc@mail.test", ["far@agreed.example"]),
    ]
    for _, _, text in mails:
        assert b"Auto-Submitted: auto-generated" in text
    report = attached(mails[0][2])
    assert report == attached(mails[1][2])
    assert (
        f"\nSubject: Report Domain: test.ex Submitter: mail.test Report-ID: <{report.report_id}>\n".encode()
        in (mails[0][2])
    )
    assert (report.begin, report.end) == (1795478400, 1795564799)
    assert (report.organization, report.email, report.is_rfc7489) == ("test.ex", "dmarc@mail.test", False)
    assert (report.published.domain, report.published.policy, report.published.discovery_method) == (
        "test.ex",
        "reject",
        "treewalk",
    )
    assert [(row.source_ip, row.count, row.header_from, row.disposition) for row in report.rows] == [
        ("192.0.2.7", 2, "test.ex", "reject"),
        ("192.0.2.7", 1, "sub.test.ex", "reject"),
        ("192.0.2.8", 1, "test.ex", "pass"),
    ]
    assert place.logs.lines[-1] == (
        "main: DMARC: aggregate report about test.ex for 2026-11-24 (4 messages) sent to agg@test.ex, "
        "far@agreed.example: x@other.example has not agreed"
    )
    place.queue.messages.clear()
    sending.run_due(place.services)
    assert place.sent() == []


def test_rfc7489(tmp_path: Path) -> None:
    suffixes = tmp_path / "suffixes"
    suffixes.write_text("ex\nexample\n")
    main = f"dmarc_mode = rfc7489\ndmarc_tld_file = {suffixes}\ndmarc_report_contact = https://mail.test/dmarc"
    place = Place(tmp_path, main)
    place.receive()
    place.queue.messages.clear()
    # 1k is too little for a place whose record says so, and counts only here.
    assert results(place, is_now=True) == [("test.ex", "sent", ["agg@test.ex"])]
    report = attached(place.sent()[0][2])
    assert report.is_rfc7489
    assert (report.published.percent, report.published.failure_options, report.contact) == (
        100,
        "1",
        "https://mail.test/dmarc",
    )
    assert "too large for far@agreed.example" in place.logs.lines[-1]


def test_when_a_report_is_due(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.receive("joe@soft.ex")
    (one,) = gathered.domains(place.services.hints)
    due = sending.due_at(one, 4 * 3600, "mail.test")
    assert one.end + sending.GRACE <= due < one.end + sending.GRACE + 4 * 3600
    assert due == sending.due_at(one, 4 * 3600, "mail.test") != sending.due_at(one, 4 * 3600, "other.test")
    place.time = due - 1
    assert results(place) == []
    place.time = due
    assert results(place) == [("soft.ex", "sent", ["agg@soft.ex"])]


def test_parts_of_a_day(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.receive("joe@soft.ex")
    assert results(place, is_now=True) == [("soft.ex", "sent", ["agg@soft.ex"])]
    assert results(place, is_now=True) == []
    place.time += 3600
    place.receive("joe@soft.ex")
    place.time += MORNING
    place.queue.messages.clear()
    assert results(place) == [("soft.ex", "sent", ["agg@soft.ex"])]
    report = attached(place.sent()[0][2])
    assert (report.begin, report.end) == (1795521600, 1795564799)
    assert [row.count for row in report.rows] == [1]
    assert gathered.domains(place.services.hints) == []


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.receive("joe@soft.ex")
    for _ in range(2):
        assert results(place, is_now=True, sends=False) == [("soft.ex", "made", ["agg@soft.ex"])]
    assert place.sent() == []


def test_a_report_that_cannot_be_queued_is_tried_again(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.receive("joe@soft.ex")
    place.time += MORNING
    place.queue.failure = SpoolError("no space")
    assert results(place) == [("soft.ex", "later", [])]
    place.queue.failure = None
    assert results(place) == [("soft.ex", "sent", ["agg@soft.ex"])]


ELSEWHERE = '_dmarc.test.ex TXT "v=DMARC1; p=none; rua=mailto:agg@elsewhere.example"\n'


@pytest.mark.parametrize(
    ("zone", "outcome"),
    [
        (ELSEWHERE, "nobody"),
        (ELSEWHERE + 'test.ex._report._dmarc.elsewhere.example TXT "v=DMARC1"\n', "sent"),
        (ELSEWHERE + "test.ex._report._dmarc.elsewhere.example AGAIN\n", "later"),
    ],
)
def test_destinations_elsewhere(zone: str, outcome: str, tmp_path: Path) -> None:
    place = Place(tmp_path, zone=zone)
    place.receive()
    assert [found[1] for found in results(place, is_now=True)] == [outcome]
    again = ["later"] if outcome == "later" else []
    assert [found[1] for found in results(place, is_now=True)] == again
    place.time += MORNING + sending.PATIENCE
    assert [found[1] for found in results(place)] == (["nobody"] if again else [])
    assert gathered.domains(place.services.hints) == []


def test_only_one_process_sends(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.receive("joe@soft.ex")
    place.time += MORNING
    with sending._alone(place.services):
        with pytest.raises(sending.Busy):
            results(place)
        sending.run_due(place.services)
        assert place.sent() == []
    assert len(results(place)) == 1


def test_a_lock_that_cannot_be_had(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "db").write_text("")
    sending.run_due(place.services)
    assert place.logs.lines == [f"main panic: DMARC: no reports are sent: {tmp_path}/db/dmarc.lock: File exists"]


def test_characters_and_policies_for_subdomains(tmp_path: Path) -> None:
    main = "dmarc_report_organization = Bücher GmbH\ndmarc_report_sender = Bücher <d@mail.test>"
    zone = '_dmarc.test.ex TXT "v=DMARC1; p=reject; sp=none; rua=mailto:a@test.ex"\ntest.ex TXT "v=spf1 +all"\n'
    place = Place(tmp_path, main.encode().decode("latin-1"), zone=zone)
    place.receive()
    place.receive("joe@sub.test.ex")
    assert results(place, is_now=True) == [("test.ex", "sent", ["a@test.ex"])]
    ((_, _, text),) = place.sent()
    report = attached(text)
    assert report.organization == "Bücher GmbH"
    assert "From: Bücher <d@mail.test>\n".encode() in text
    assert {row.header_from: row.disposition for row in report.rows} == {"test.ex": "pass", "sub.test.ex": "none"}


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=300), min_size=12, max_size=12))
def test_any_values_survive(texts: list[str]) -> None:
    ip, author, disposition, dkim, spf, sender = texts[:6]
    reasons, signatures = (Reason(*texts[6:8]),), (DkimResult(*texts[8:12]),)
    row = Row(ip, 1, author, disposition, dkim, spf, reasons, sender, "", signatures, (SpfResult("a", "b"),))
    packed = gathered.pack(row)
    again = gathered.unpack(packed, 1)
    assert again is not None
    assert len(again.dkim_results) == len(again.reasons) == 1


def test_the_null_sender(tmp_path: Path) -> None:
    place = Place(tmp_path, "dmarc_report_sender =")
    place.receive("joe@soft.ex")
    results(place, is_now=True)
    sender, _, text = place.sent()[-1]
    assert sender == ""
    assert b"\nFrom: Mail Delivery System <Mailer-Daemon@test.ex>\n" in b"\n" + text


# The hints.

ROW = Row(
    "192.0.2.1",
    1,
    "test.ex",
    "none",
    "fail",
    "pass",
    (Reason("local_policy", "arc=pass"), Reason("other")),
    "bounces.test.ex",
    "",
    (DkimResult("test.ex", "fail", "s", "body hash mismatch"), DkimResult("other.ex", "pass", "t")),
    (SpfResult("bounces.test.ex", "pass"),),
)


def test_a_row_survives() -> None:
    assert gathered.unpack(gathered.pack(ROW), 1) == ROW


@pytest.mark.parametrize("values", [[], ["a"] * 5, [*gathered.pack(ROW), "dkim", "x"], [*gathered.pack(ROW), "what"]])
def test_values_that_are_no_row(values: list[str]) -> None:
    assert gathered.unpack(values, 1) is None


def test_kinds_of_messages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "ROWS_MAX", 3)
    monkeypatch.setattr(gathered, "TOTAL_MAX", 5)
    hints = MemoryHints(now=lambda: 0.0)
    for domain in ("a.ex", "b.ex"):
        for number in range(10):
            row = Row(f"192.0.2.{number}", 1, domain)
            for _ in range(2):
                gathered.add(hints, 1000.0, domain, "v=DMARC1; p=none", "psl", row)
    first, second = gathered.domains(hints)
    assert (first.head.rows, first.head.omitted) == (3, 14)
    assert (second.head.rows, second.head.omitted) == (2, 16)
    assert [count for _, count, _ in gathered.rows(hints, first)] == [2, 2, 2]


def test_messages_that_come_while_a_report_is_sent_are_kept() -> None:
    hints = MemoryHints(now=lambda: 0.0)
    for _ in range(3):
        gathered.add(hints, 1000.0, "a.ex", "v=DMARC1; p=none", "psl", ROW)
    (one,) = gathered.domains(hints)
    ((key, _, _),) = gathered.rows(hints, one)
    gathered.forget(hints, one, {key: 2}, 2000)
    (one,) = gathered.domains(hints)
    assert (one.head.begin, [count for _, count, _ in gathered.rows(hints, one)]) == (2000, [1])


def test_what_nobody_sends_is_forgotten() -> None:
    hints = MemoryHints(now=lambda: 0.0)
    for day in range(3):
        gathered.add(hints, day * DAY + 5.0, "a.ex", "v=DMARC1; p=none", "psl", ROW)
    gathered.forget_days(hints, 2 * DAY)
    assert [one.day for one in gathered.domains(hints)] == [2]
    assert len(list(hints.dmarc_rows.items())) == 1


def test_the_last_policy_is_the_one_that_is_told() -> None:
    hints = MemoryHints(now=lambda: 0.0)
    for policy in ("none", "reject"):
        gathered.add(hints, 1000.0, "a.ex", f"v=DMARC1; p={policy}", "psl", ROW)
    (one,) = gathered.domains(hints)
    assert one.head.policy == "v=DMARC1; p=reject"
    assert [count for _, count, _ in gathered.rows(hints, one)] == [2]

"""What aggregate reports say about messages: what was done with them, and why not what the policy asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.deliver.dmarc import gathered
from eximious.mailauth import arc, dkim
from eximious.mailauth.reports.aggregate import Reason, Row
from tests.deliver.dmarc_place import Place

QUARANTINE = '_dmarc.test.ex TXT "v=DMARC1; p=quarantine; rua=mailto:agg@test.ex"\n'
REJECT = '_dmarc.test.ex TXT "v=DMARC1; p=reject; rua=mailto:agg@test.ex"\n'
NONE = '_dmarc.test.ex TXT "v=DMARC1; p=none; rua=mailto:agg@test.ex"\n'
TESTING = '_dmarc.test.ex TXT "v=DMARC1; p=reject; t=y; rua=mailto:agg@test.ex"\n'
PASSING = 'test.ex TXT "v=spf1 ip4:192.0.2.7 -all"\n'
LOCAL = (Reason("local_policy"),)

DISPOSITIONS = [
    # the end of the DATA ACL, the zone, the answer, what the report says, and why
    ("deny dmarc_status = reject", REJECT, "550", "reject", ()),
    ("drop dmarc_status = reject", REJECT, "550", "reject", ()),
    ("accept dmarc_status = *", REJECT, "250", "none", LOCAL),
    ("deny dmarc_status = reject\n  accept", QUARANTINE, "250", "none", LOCAL),
    ("warn dmarc_status = quarantine\n  accept", QUARANTINE, "250", "quarantine", ()),
    ("warn dmarc_status = !accept\n  accept", QUARANTINE, "250", "none", LOCAL),
    ("warn dmarc_status = *\n  control = freeze\n  accept", REJECT, "250", "quarantine", LOCAL),
    ("deny dmarc_status = quarantine", QUARANTINE, "550", "reject", LOCAL),
    ("discard dmarc_status = reject", REJECT, "250", "reject", ()),
    ("warn dmarc_status = reject\n  control = fakereject\n  accept", REJECT, "550", "reject", ()),
    ("accept dmarc_status = *", NONE, "250", "none", ()),
    ("deny dmarc_status = *", NONE, "550", "reject", LOCAL),
    ("warn dmarc_status = quarantine\n  accept", TESTING, "250", "quarantine", (Reason("policy_test_mode"),)),
    ("accept dmarc_status = *", TESTING, "250", "none", (Reason("policy_test_mode"), Reason("local_policy"))),
    ("deny dmarc_status = accept", REJECT + PASSING, "550", "none", ()),
    (
        "warn dmarc_status = *\n  control = dmarc_override_reason/mailing_list/of users\n  accept",
        REJECT,
        "250",
        "none",
        (Reason("mailing_list", "of users"),),
    ),
]


def rows(place: Place) -> list[Row]:
    found = gathered.domains(place.services.hints)
    return [row for one in found for _, _, row in gathered.rows(place.services.hints, one)]


@pytest.mark.parametrize(("acl", "zone", "answer", "disposition", "reasons"), DISPOSITIONS)
def test_disposition(
    acl: str, zone: str, answer: str, disposition: str, reasons: tuple[Reason, ...], tmp_path: Path
) -> None:
    place = Place(tmp_path, data=f"  {acl}\n", zone=zone)
    assert place.receive() == answer
    (row,) = rows(place)
    assert (row.disposition, row.reasons) == (disposition, reasons)


def test_who_is_sampled_out(tmp_path: Path) -> None:
    (tmp_path / "suffixes").write_text("ex\n")
    zone = '_dmarc.test.ex TXT "v=DMARC1; p=reject; pct=0; rua=mailto:agg@test.ex"\n'
    main = f"dmarc_mode = rfc7489\ndmarc_tld_file = {tmp_path}/suffixes"
    place = Place(tmp_path, main, zone=zone)
    assert place.receive() == "250"
    (row,) = rows(place)
    assert (row.disposition, row.reasons) == ("quarantine", (Reason("sampled_out"),))


UNCOUNTED = [
    ("  defer dmarc_status = reject\n", "", REJECT),  # it will come again
    ("  accept\n", "", REJECT),  # nobody has asked for the status
    ("  accept dmarc_status = *\n", "dmarc_no_reports = *.ex", REJECT),
    ("  accept dmarc_status = *\n", "dmarc_aggregate_reports = false", REJECT),
    ("  accept dmarc_status = *\n", "", '_dmarc.test.ex TXT "v=DMARC1; p=reject"\n'),
    ("  accept dmarc_status = *\n", "", ""),
]


def test_names_that_are_no_host_names_are_not_told(tmp_path: Path) -> None:
    place = Place(tmp_path, zone=REJECT)
    assert place.receive("joe@a\x01b'$x.test.ex") == "550"
    assert rows(place) == []
    assert place.sent() == []


@pytest.mark.parametrize(("data", "main", "zone"), UNCOUNTED)
def test_what_is_not_told(data: str, main: str, zone: str, tmp_path: Path) -> None:
    place = Place(tmp_path, main, data, zone)
    place.receive()
    assert gathered.domains(place.services.hints) == []


def test_what_a_row_says(tmp_path: Path) -> None:
    place = Place(tmp_path, data="  accept dmarc_status = *\n", zone=REJECT + PASSING)
    place.receive("Joe <joe@Sub.Test.ex>", "bounces@test.ex")
    place.receive("Joe <joe@Sub.Test.ex>", "bounces@test.ex")
    place.receive("Joe <joe@Sub.Test.ex>", "")
    one, other = sorted(rows(place), key=lambda row: -row.count)
    assert (one.count, other.count) == (2, 1)
    assert (one.source_ip, one.header_from, one.envelope_from) == ("192.0.2.7", "sub.test.ex", "test.ex")
    assert (one.dkim, one.spf, one.disposition) == ("fail", "pass", "none")
    assert [(spf.domain, spf.result, spf.scope) for spf in one.spf_results] == [("test.ex", "pass", "mfrom")]
    assert (other.envelope_from, [spf.scope for spf in other.spf_results]) == ("", ["helo"])


def test_a_chain_that_speaks_for_the_message(tmp_path: Path) -> None:
    key = dkim.PrivateKey.load("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    head = b"From: joe@test.ex\r\nSubject: lunch\r\nMessage-ID: <1@x>\r\nDate: now\r\n"
    results = b"Authentication-Results: list.example; spf=pass\r\n"
    sealer = arc.Sealer("list.example", "s", key, authserv_id="list.example", with_time=False)
    sealed = arc.seal(results + head + b"\r\nsecret\r\n", sealer)
    added = sealed.partition(b"From:")[0].decode()
    zone = f'{REJECT}s._domainkey.list.example TXT "{key.record()}"\n'
    place = Place(tmp_path, data="  accept verify = arc\n         dmarc_status = *\n", zone=zone)
    assert place.receive(headers=added) == "250"
    (row,) = rows(place)
    assert row.reasons == (Reason("local_policy", "arc=pass as[1].d=list.example as[1].s=s"),)


def test_signatures_are_told(tmp_path: Path) -> None:
    key = dkim.PrivateKey.load("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    head = b"From: joe@test.ex\r\nSubject: lunch\r\nMessage-ID: <1@x>\r\nDate: now\r\n"
    signed = dkim.sign(head + b"\r\nsecret\r\n", dkim.Signer("Mail.Test.ex", "s", key))
    field = signed.partition(b"\r\nFrom: joe")[0].decode() + "\r\n"
    bad = field.replace("s=s", "s=none").replace("Mail.Test.ex", "other.ex")
    zone = f'{REJECT}s._domainkey.mail.test.ex TXT "{key.record()}"\n'
    place = Place(tmp_path, data="  accept dmarc_status = *\n", zone=zone)
    place.receive(headers=field + bad)
    (row,) = rows(place)
    assert (row.dkim, row.spf, row.disposition) == ("pass", "fail", "none")
    assert [(one.domain, one.selector, one.result, one.human_result) for one in row.dkim_results] == [
        ("mail.test.ex", "s", "pass", ""),
        ("other.ex", "none", "permerror", "public key record (currently?) unavailable"),
    ]


def test_hints_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from eximious.hints.store import HintsError

    def broken(*_: object) -> None:
        raise HintsError("no space")

    place = Place(tmp_path, zone=REJECT)
    monkeypatch.setattr(gathered, "add", broken)
    assert place.receive() == "550"
    assert place.logs.lines[-1] == "main panic: DMARC: not counted for the report: no space"

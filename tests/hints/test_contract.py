"""What every implementation of hints does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eximious.hints.lmdb_hints import LmdbHints
from eximious.hints.memory import MemoryHints
from eximious.hints.record import Callout, Ehlo, Rate, Record, Retry, Serialize, Stamp, TlsSession, Waiting
from eximious.hints.store import Hints

NOW = 1_795_559_750.5


@pytest.fixture(params=["memory", "lmdb"])
def hints(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hints]:
    made: Hints
    if request.param == "memory":
        made = MemoryHints(now=lambda: NOW)
    else:
        made = LmdbHints(str(tmp_path / "db"), now=lambda: NOW)
    yield made
    made.close()


def retry(text: str = "Connection refused") -> Retry:
    record = Retry()
    record.errno, record.more_errno, record.text = 111, 77, text
    record.first_failed, record.last_try, record.next_try, record.expired = 1.0, 2.5, 3.0, 1
    return record


def waiting() -> Waiting:
    record = Waiting()
    record.message_ids = ["16VDhn-000000001bo-D342", "16VDhn-000000001bo-D343"]
    record.sequence = 3
    return record


def callout() -> Callout:
    record = Callout()
    record.result, record.postmaster_result, record.postmaster_at = "accept", "reject", 5.0
    record.random_at, record.random_result = 6.0, "reject"
    return record


def rate() -> Rate:
    record = Rate()
    record.rate, record.bloom, record.bloom_epoch = 2.75, bytes(range(256)), 7.0
    return record


def serialize() -> Serialize:
    record = Serialize()
    record.count = 2
    return record


def ehlo() -> Ehlo:
    record = Ehlo()
    record.cleartext = ["PIPELINING", "SIZE 100", ""]
    return record


def tls_session() -> TlsSession:
    record = TlsSession()
    record.data, record.ocsp, record.verify_override = b"\0\xff\n", 4, 1
    return record


RECORDS = [
    ("retry", "T:mail.example:192.0.2.1", retry()),
    ("retry", "R:\xfc@example", retry("")),
    ("wait-smtp", "mail.example", waiting()),
    ("callout", "user@example", callout()),
    ("ratelimit", "1h/per_mail/192.0.2.1", rate()),
    ("seen", "192.0.2.1-a", Stamp()),
    ("misc", "etrn-#example", serialize()),
    ("ehlo", "192.0.2.1.25", ehlo()),
    ("tls", "x" * 3000, tls_session()),
]


@pytest.mark.parametrize(("name", "key", "record"), RECORDS)
def test_what_is_put_is_found(hints: Hints, name: str, key: str, record: Record) -> None:
    table = hints.by_name(name)
    assert table is not None
    assert table.get(key) is None
    table.put(key, record)
    found = table.get(key)
    assert found == record
    assert found is not record
    assert found is not None
    assert found.written_at == NOW
    assert list(table.keys()) == [key]
    assert hints.names() == [name]
    table.delete(key)
    table.delete(key)
    assert table.get(key) is None


def test_unknown_database(hints: Hints) -> None:
    assert hints.by_name("nonsense") is None


def test_databases_by_attribute(hints: Hints) -> None:
    hints.retry.put("R:example", retry())
    hints.wait("smtp").put("mail.example", waiting())
    hints.callout.put("example", callout())
    hints.ratelimit.put("k", rate())
    hints.seen.put("k", Stamp())
    hints.misc.put("k", serialize())
    hints.ehlo.put("k", ehlo())
    hints.tls.put("k", tls_session())
    assert hints.names() == ["callout", "ehlo", "misc", "ratelimit", "retry", "seen", "tls", "wait-smtp"]
    hints.sync()


def test_items_are_in_order_and_by_prefix(hints: Hints) -> None:
    long = "T:" + "l" * 600
    for key in ("T:b", "R:a", "T:a", long + "2", long + "1", "U:"):
        hints.retry.put(key, retry(key))
    assert [key for key, _ in hints.retry.items()] == sorted(["R:a", "T:a", "T:b", long + "1", long + "2", "U:"])
    assert list(hints.retry.keys("T:")) == sorted(["T:a", "T:b", long + "1", long + "2"])
    assert [record.text for _, record in hints.retry.items("R:")] == ["R:a"]
    assert list(hints.retry.keys("X")) == []


def test_change(hints: Hints) -> None:
    def count(record: Serialize | None) -> Serialize | None:
        if record is None:
            return serialize()
        record.count += 1
        return record

    for expected in (2, 3, 4):
        changed = hints.misc.change("host", count)
        assert changed is not None
        assert changed.count == expected
    assert hints.misc.change("host", lambda record: None) is None
    assert hints.misc.get("host") is None
    assert hints.misc.change("host", lambda record: None) is None


def test_change_and_time(hints: Hints) -> None:
    table = hints.misc
    table.put("k", serialize())

    def unchanged(record: Serialize | None) -> Serialize | None:
        return record

    def at_five(record: Serialize | None) -> Serialize | None:
        assert record is not None
        record.written_at = 5.0
        return record

    def more(record: Serialize | None) -> Serialize | None:
        assert record is not None
        record.count += 1
        return record

    def another(record: Serialize | None) -> Serialize | None:
        made = serialize()
        made.written_at = 7.0
        return made

    def written_at() -> float:
        found = table.get("k")
        assert found is not None
        return found.written_at

    for function, expected in ((unchanged, NOW), (at_five, 5.0), (unchanged, 5.0), (more, NOW), (another, 7.0)):
        table.change("k", function)
        assert written_at() == expected


def test_the_table_keeps_its_own_copy(hints: Hints) -> None:
    record = waiting()
    hints.wait("smtp").put("h", record)
    record.message_ids.append("x")
    found = hints.wait("smtp").get("h")
    assert found is not None
    assert len(found.message_ids) == 2

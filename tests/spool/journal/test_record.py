"""The form of journal segments: whatever happens to the end of one, or in its middle, the rest is found."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from eximious.spool.journal.record import (
    MAGIC,
    MARK,
    START,
    done_record,
    key_checksum,
    message_record,
    partly_done_record,
    records,
    unfinished,
)

KEY = b"12345678"
SEED = key_checksum(KEY)


class Writer:
    """A segment in memory, with where each record ends."""

    def __init__(self) -> None:
        self.data = MAGIC + KEY
        self.ends: list[int] = []

    def add(self, record: bytes) -> None:
        self.data += record
        self.ends.append(len(self.data))

    def message(self, message_id: str, header: bytes = b"h", body: bytes = b"b", queue_name: str = "") -> None:
        self.add(b"".join(message_record(SEED, message_id, queue_name, header, [body[:1], body[1:]])))


def sample(count: int = 6) -> Writer:
    writer = Writer()
    for number in range(count):
        # Bodies that look like records, and like the beginning of a segment.
        body = MAGIC + KEY + MARK * number + b"".join(message_record(0, "evil", "", b"evil", [b"evil"]))
        writer.message(f"id{number}", b"header" * number, body)
    return writer


def test_messages_and_what_is_done() -> None:
    writer = Writer()
    writer.message("a", b"header", b"body", "slow")
    writer.message("b")
    writer.message("c", b"", b"")
    writer.add(partly_done_record(SEED, "a", "x@\xfcy"))
    writer.add(partly_done_record(SEED, "a", "z"))
    writer.add(partly_done_record(SEED, "none", "z"))
    writer.add(done_record(SEED, "b"))
    writer.add(done_record(SEED, "none"))
    first, second = unfinished(writer.data)
    assert (first.message_id, first.queue_name, first.header, first.body) == ("a", "slow", b"header", b"body")
    assert first.done == {"x@\xfcy", "z"}
    assert (second.message_id, second.header, second.body, second.done) == ("c", b"", b"", set())


@given(st.integers(0, 4000))
def test_a_tail_that_is_cut_off_costs_only_what_was_not_whole(length: int) -> None:
    writer = sample()
    whole = sum(end <= length for end in writer.ends)
    assert [stored.message_id for stored in unfinished(writer.data[:length])] == [f"id{n}" for n in range(whole)]


@given(st.integers(0, 4000), st.binary(max_size=100))
def test_garbage_after_a_cut_changes_nothing(length: int, garbage: bytes) -> None:
    writer = sample()
    length = min(max(length, START), len(writer.data))
    whole = [f"id{n}" for n, end in enumerate(writer.ends) if end <= length]
    assert [stored.message_id for stored in unfinished(writer.data[:length] + garbage)][: len(whole)] == whole


@given(st.data())
@settings(max_examples=300)
def test_damage_in_the_middle_costs_only_the_records_it_hits(data: st.DataObject) -> None:
    writer = sample()
    start = data.draw(st.integers(START, len(writer.data) - 1))
    length = data.draw(st.integers(1, 60))
    damage = data.draw(st.binary(min_size=length, max_size=length))
    octets = writer.data[:start] + damage + writer.data[start + length :]
    octets = octets[: len(writer.data)]
    begins = [START, *writer.ends]
    hit = {f"id{n}" for n, end in enumerate(writer.ends) if begins[n] < start + length and start < end}
    found = {stored.message_id for stored in unfinished(octets)}
    assert found >= {f"id{n}" for n in range(6)} - hit
    assert "evil" not in found


@given(st.binary(max_size=300))
def test_any_octets_are_read(data: bytes) -> None:
    list(records(data))
    list(records(MAGIC + data))
    assert all(stored.message_id != "evil" for stored in unfinished(MAGIC + data))

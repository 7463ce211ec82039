"""The journal at work: messages come, are claimed, are done with, or become files."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eximious import waiting
from eximious.spool.claimed import Claimed
from eximious.spool.errors import SpoolError
from eximious.spool.journal import journal as journal_module
from eximious.spool.journal import spill
from eximious.spool.journal.journal import Journal
from eximious.spool.message import Message

if TYPE_CHECKING:
    from tests.spool.journal.conftest import Spool


def the_journal(spool: Spool) -> Journal:
    assert spool.store.journal is not None
    return spool.store.journal


def test_delivered_at_once_nothing_remains(spool: Spool) -> None:
    def work() -> None:
        message_id = spool.accept(b"one\ntwo\n")
        assert spool.files() == ["segment"]
        assert spool.store.list_ids() == [message_id]
        claimed = spool.store.claim(message_id)
        assert claimed is not None
        assert spool.store.claim(message_id) is None
        assert claimed.message.id == message_id
        assert claimed.message.body is claimed.body
        assert claimed.message.body_size == 8
        assert b"".join(claimed.body.chunks()) == b"one\ntwo\n"
        claimed.record_done("a@b")
        claimed.log("delivered")
        claimed.remove()
        assert spool.store.list_ids() == []
        assert spool.store.claim(message_id) is None
        assert the_journal(spool).held == 0
        spool.store.close_journal()

    spool.run(work)
    assert spool.files() == []
    assert spool.reports == []


def test_released_and_claimed_again(spool: Spool) -> None:
    def work() -> None:
        message_id = spool.accept()
        first = spool.store.claim(message_id)
        assert first is not None
        first.record_done("a@b")
        first.release()
        second = spool.store.claim(message_id)
        assert second is not None
        assert second.message.nonrecipients == {"a@b"}
        second.remove()
        second.remove()
        first.release()
        spool.store.close_journal()

    spool.run(work)
    assert spool.files() == []


def test_update_makes_files_and_the_claim_goes_on(spool: Spool) -> None:
    def work() -> None:
        message_id = spool.accept()
        claimed = spool.store.claim(message_id)
        assert claimed is not None
        spool.store.log(claimed.message, "Received from <>")
        claimed.record_done("a@b")
        claimed.log("a@b delivered")
        claimed.message.deliver_first_time = False
        claimed.message.warning_count = 3
        claimed.update()
        assert spool.files() == [f"input/{message_id}-D", f"input/{message_id}-H", "segment", f"msglog/{message_id}"]
        assert the_journal(spool).held == 0
        assert spool.store.claim(message_id) is None
        claimed.record_done("c@d")
        claimed.update()
        claimed.log("c@d delivered")
        claimed.record_done("e@f")
        claimed.release()
        again = spool.store.claim(message_id)
        assert again is not None
        assert again.message.nonrecipients == {"a@b", "c@d", "e@f"}
        assert (again.message.warning_count, again.message.deliver_first_time) == (3, False)
        assert b"".join(again.body.chunks()) == b"body\n"
        assert spool.store.logs.read(message_id, "") == "Received from <>\na@b delivered\nc@d delivered\n"
        again.remove()
        spool.store.close_journal()

    spool.run(work)
    assert spool.files() == []


def test_spilling_leaves_claims_as_they_are(spool: Spool) -> None:
    def work() -> None:
        claimed_id, free_id = spool.accept(), spool.accept(queue_name="slow")
        claimed = spool.store.claim(claimed_id)
        assert claimed is not None
        spool.store.spill()
        assert spool.files() == [
            f"input/{claimed_id}-D",
            f"input/{claimed_id}-H",
            "segment",
            f"slow/input/{free_id}-D",
            f"slow/input/{free_id}-H",
        ]
        assert spool.store.claim(claimed_id) is None
        free = spool.store.claim(free_id, "slow")
        assert free is not None
        free.remove()
        claimed.record_done("a@b")
        assert f"input/{claimed_id}-J" in spool.files()
        claimed.remove()
        spool.store.close_journal()

    spool.run(work)
    assert spool.files() == []


def done_and_release(claimed: Claimed) -> None:
    claimed.record_done("a@b")
    claimed.release()


DURING: dict[str, tuple[Callable[[Claimed], object], set[str] | None]] = {
    "record_done": (lambda claimed: claimed.record_done("a@b"), {"a@b"}),
    "release": (lambda claimed: claimed.release(), set()),
    "record_done and release": (done_and_release, {"a@b"}),
    "remove": (lambda claimed: claimed.remove(), None),
}


@pytest.mark.parametrize("name", DURING)
def test_what_happens_while_files_are_written_counts(spool: Spool, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    act, expected = DURING[name]

    def work() -> None:
        message_id = spool.accept()
        claimed = spool.store.claim(message_id)
        assert claimed is not None

        def write_files(*args: Any) -> None:
            spill.write_files(*args)
            act(claimed)

        monkeypatch.setattr(journal_module, "write_files", write_files)
        monkeypatch.setattr(waiting, "in_thread", lambda function, *args: function(*args))
        spool.store.spill()
        monkeypatch.undo()
        claimed.release()
        found = spool.store.claim(message_id)
        if expected is None:
            assert found is None
        else:
            assert found is not None
            assert found.message.nonrecipients == expected
            found.remove()
        spool.store.close_journal()

    spool.run(work)
    assert spool.files() == []
    assert spool.reports == []


def test_old_messages_become_files_by_themselves(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "TICK", 0.01)

    def work() -> None:
        spool.store.journal = Journal(
            spool.store.layout,
            spool.store.logs,
            the_journal(spool)._loop,
            spill_after=0.02,
            report=spool.reports.append,
        )
        message_id = spool.accept()
        assert spool.files() == ["segment"]
        for _ in range(200):
            waiting.sleep(0.01)
            if message_id not in the_journal(spool):
                break
        assert f"input/{message_id}-H" in spool.files()
        for _ in range(200):
            waiting.sleep(0.01)
            if not the_journal(spool)._tick_is_due:
                break
        (segment,) = (spool.directory / "journal").iterdir()
        for _ in range(200):
            if segment.stat().st_size < 50:
                break
            waiting.sleep(0.01)
        assert segment.stat().st_size < 50  # nothing in it is needed any more
        claimed = spool.store.claim(message_id)
        assert claimed is not None
        claimed.remove()
        spool.store.close_journal()

    spool.run(work)
    assert spool.files() == []


def test_memory_is_bounded(spool: Spool) -> None:
    def work() -> None:
        the_journal(spool)._memory_limit = 20_000
        in_journal = [spool.accept(b"x" * 2000) for _ in range(3)]
        in_file = spool.accept(b"x" * 2000)
        too_large = spool.accept(b"x" * 300_000)
        assert all(message_id in the_journal(spool) for message_id in in_journal)
        assert {name for name in spool.files() if name.endswith("-H")} == {f"input/{in_file}-H", f"input/{too_large}-H"}
        assert spool.store.list_ids() == sorted([*in_journal, in_file, too_large])
        claimed = spool.store.claim(in_journal[0])
        assert claimed is not None
        claimed.remove()
        assert spool.accept(b"x" * 2000) in the_journal(spool)
        spool.store.close_journal()

    spool.run(work)


def test_segments_are_removed_when_all_is_done(spool: Spool) -> None:
    def work() -> None:
        the_journal(spool)._segment_size = 10_000
        made = [spool.accept(b"x" * 2000) for _ in range(9)]
        assert spool.files() == ["segment"] * 5
        for message_id in made:
            claimed = spool.store.claim(message_id)
            assert claimed is not None
            claimed.remove()
        spool.store.close_journal()

    spool.run(work)
    assert spool.files() == []


def no_space(*args: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["pwritev", "fdatasync", "open"])
def test_a_full_disk_is_an_error_before_anything_is_acknowledged(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def work() -> None:
        first = spool.accept() if call != "open" else ""
        monkeypatch.setattr(os, call, no_space)
        with pytest.raises(SpoolError, match="No space left"):
            spool.accept(b"lost\n")
        monkeypatch.undo()
        second = spool.accept()
        assert spool.store.list_ids() == [message_id for message_id in (first, second) if message_id]
        assert b"lost" not in b"".join(path.read_bytes() for path in (spool.directory / "journal").iterdir())
        assert the_journal(spool).held == sum(entry.size for entry in the_journal(spool)._entries.values())

    spool.run(work)
    after = spool.after_a_crash()
    assert len(after.store.recover()) == (2 if call != "open" else 1)


def test_half_a_write_is_taken_back(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwritev

    def half(fd: int, buffers: list[bytes], offset: int) -> int:
        data = b"".join(buffers)
        return os.pwrite(fd, data[: len(data) // 2], offset)

    def work() -> None:
        spool.accept()
        monkeypatch.setattr(os, "pwritev", half)
        spool.accept(b"x" * 5000)  # the second half is written then
        pwrite = os.pwrite
        calls = 0

        def once(fd: int, data: bytes, offset: int) -> int:
            nonlocal calls
            calls += 1
            return pwrite(fd, data, offset) if calls == 1 else no_space()

        monkeypatch.setattr(os, "pwrite", once)
        with pytest.raises(SpoolError, match="No space left"):
            spool.accept(b"lost\n" * 1000)
        monkeypatch.setattr(os, "pwritev", real)
        monkeypatch.setattr(os, "pwrite", pwrite)
        spool.accept(b"y" * 10)

    spool.run(work)
    after = spool.after_a_crash()
    assert len(after.store.recover()) == 3
    bodies = []
    for message_id in after.store.list_ids():
        claimed = after.store.claim(message_id)
        assert claimed is not None
        bodies.append(claimed.body.data())
        claimed.release()
    assert bodies == [b"body\n", b"x" * 5000, b"y" * 10]


def test_what_is_done_is_written_later_if_it_cannot_be_now(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        done = spool.accept()
        claimed = spool.store.claim(done)
        assert claimed is not None
        monkeypatch.setattr(os, "pwritev", no_space)
        claimed.remove()
        waiting.sleep(0)
        waiting.sleep(0.05)
        monkeypatch.undo()
        spool.accept()

    spool.run(work)
    assert len(spool.after_a_crash().store.recover()) == 1


def test_a_spill_that_fails_leaves_the_message_in_the_journal(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        message_id = spool.accept()
        claimed = spool.store.claim(message_id)
        assert claimed is not None
        monkeypatch.setattr(os, "write", no_space)
        with pytest.raises(SpoolError, match="No space left"):
            claimed.update()
        with pytest.raises(SpoolError, match="No space left"):
            spool.store.spill()
        monkeypatch.undo()
        assert spool.files() == ["segment"]
        assert message_id in the_journal(spool)
        claimed.update()
        claimed.remove()
        spool.store.close_journal()

    spool.run(work)
    assert spool.files() == []


def test_a_full_disk_is_not_complained_about_for_ever(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "TICK", 0.001)

    def work() -> None:
        made = [spool.accept() for _ in range(3)]
        monkeypatch.setattr(os, "write", no_space)
        the_journal(spool)._spill_after = 0.0
        for _ in range(500):
            waiting.sleep(0.001)
            if spool.reports:
                break
        waiting.sleep(0.02)
        monkeypatch.undo()
        assert len(spool.reports) == 1
        assert spool.reports[0].startswith(f"{made[0]} and 2 others cannot leave the journal: cannot write ")
        spool.store.close_journal()

    spool.run(work)
    assert len(spool.store.list_ids()) == 3


def test_the_message_is_the_one_that_was_accepted(spool: Spool) -> None:
    def work() -> None:
        message = Message()
        message.id = "1xVz78-00000000006-3KbK"
        message.client.helo_name = "first"
        message.client.acl_variables["c0"] = "first"
        body = spool.store.new_body()
        spool.store.accept(message, body)
        message.client.helo_name = "second"
        message.client.acl_variables["c0"] = "second"
        claimed = spool.store.claim(message.id)
        assert claimed is not None
        assert claimed.message.client.helo_name == "first"
        assert claimed.message.client.acl_variables == {"c0": "first"}
        claimed.remove()
        spool.store.close_journal()

    spool.run(work)


def test_a_session_that_ends_while_it_waits_has_sent_its_message(spool: Spool) -> None:
    import asyncio

    ids: list[str] = []

    async def main() -> None:
        spool.store.open_journal(asyncio.get_running_loop(), spool.reports.append)
        task = asyncio.create_task(waiting.run(spool.accept))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(100):
            await asyncio.sleep(0.01)
            if spool.store.list_ids():
                break
        ids.extend(spool.store.list_ids())
        await waiting.run(spool.store.close_journal)

    asyncio.run(main())
    assert len(ids) == 1
    assert spool.store.list_ids() == ids


def test_many_at_once(spool: Spool) -> None:
    import asyncio

    async def main() -> None:
        spool.store.open_journal(asyncio.get_running_loop(), spool.reports.append)
        made = await asyncio.gather(*(waiting.run(spool.accept) for _ in range(200)))
        assert spool.store.list_ids() == sorted(made)
        assert len(set(made)) == 200
        await waiting.run(spool.store.close_journal)
        assert spool.store.list_ids() == sorted(made)

    asyncio.run(main())
    assert spool.reports == []


def test_without_a_loop(spool: Spool) -> None:
    spool.store.open_journal(None, spool.reports.append)
    message_id = spool.accept()
    assert spool.files() == ["segment"]
    claimed = spool.store.claim(message_id)
    assert claimed is not None
    claimed.record_done("a@b")
    claimed.remove()
    other = spool.accept()
    spool.store.close_journal()
    assert spool.store.list_ids() == [other]
    assert "segment" not in spool.files()


def test_an_option_turns_it_off(spool: Spool) -> None:
    def work() -> None:
        message_id = spool.accept()
        assert spool.files() == [f"input/{message_id}-D", f"input/{message_id}-H"]

    spool.store.uses_journal = False
    spool.run(work)
    assert spool.store.journal is None


def test_outside_the_loop_messages_become_files(tmp_path: Path) -> None:
    import asyncio

    from tests.spool.journal.conftest import Spool as Spool_

    spool = Spool_(tmp_path)

    async def main() -> None:
        spool.store.open_journal(asyncio.get_running_loop(), spool.reports.append)
        message_id = spool.accept()
        assert spool.files() == [f"input/{message_id}-D", f"input/{message_id}-H"]
        await waiting.run(spool.store.close_journal)

    asyncio.run(main())

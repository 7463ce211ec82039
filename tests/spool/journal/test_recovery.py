"""What the next process finds: everything that was acknowledged, and nothing twice."""

from __future__ import annotations

import errno
import os
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eximious import waiting
from eximious.spool.errors import SpoolError
from eximious.spool.journal import recovery
from eximious.spool.layout import Layout
from eximious.spool.store import QueueStore

if TYPE_CHECKING:
    from tests.spool.journal.conftest import Spool


def test_unfinished_messages_become_files(spool: Spool) -> None:
    ids: list[str] = []

    def work() -> None:
        for number in range(4):
            ids.append(spool.accept(b"body %d\n" % number, "slow" if number == 3 else ""))
        first, second = spool.store.claim(ids[0]), spool.store.claim(ids[1])
        assert first is not None
        assert second is not None
        first.remove()
        second.record_done("a@b")
        waiting.sleep(0.05)

    spool.run(work)
    store = spool.after_a_crash().store
    assert store.recover() == ids[1:]
    assert "segment" not in spool.files()
    assert store.list_ids() == ids[1:3]
    assert store.list_ids("slow") == ids[3:]
    claimed = store.claim(ids[1])
    assert claimed is not None
    assert claimed.message.nonrecipients == {"a@b"}
    assert claimed.body.data() == b"body 1\n"
    claimed.release()
    assert store.recover() == []


def test_segments_of_the_living_are_left_alone(spool: Spool) -> None:
    def work() -> None:
        message_id = spool.accept()
        assert QueueStore(Layout(str(spool.directory))).recover() == []
        assert spool.files() == ["segment"]
        claimed = spool.store.claim(message_id)
        assert claimed is not None
        claimed.remove()
        spool.store.close_journal()

    spool.run(work)


def test_what_became_files_before_is_not_written_again(spool: Spool) -> None:
    def work() -> None:
        message_id = spool.accept()
        claimed = spool.store.claim(message_id)
        assert claimed is not None
        claimed.update()
        claimed.remove()

    spool.run(work)
    store = spool.after_a_crash().store
    assert store.recover() == []
    assert store.list_ids() == []


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_recovery_that_fails_is_done_again(spool: Spool, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    ids: list[str] = []

    def work() -> None:
        ids.extend(spool.accept() for _ in range(3))
        claimed = spool.store.claim(ids[1])
        assert claimed is not None
        claimed.record_done("a@b")
        waiting.sleep(0.05)

    spool.run(work)
    store = spool.after_a_crash().store
    real, count = os.fdatasync, 0

    def fail(fd: int) -> None:
        nonlocal count
        count += 1
        if count == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(fd)

    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(SpoolError, match="No space left"):
        store.recover()
    monkeypatch.undo()
    store.recover()
    assert store.list_ids() == ids
    looked_at = store.read(ids[1])
    assert looked_at is not None
    assert looked_at.nonrecipients == {"a@b"}
    assert "segment" not in spool.files()
    assert len(spool.files()) == 7


def test_a_recovery_that_dies_halfway(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    ids: list[str] = []
    spool.run(lambda: ids.extend(spool.accept() for _ in range(2)))
    store = spool.after_a_crash().store
    # As if it had died after the -D file of the first message.
    (spool.directory / "input").mkdir()
    (spool.directory / "input" / f"{ids[0]}-D").write_bytes(b"half")
    assert store.recover() == ids
    claimed = store.claim(ids[0])
    assert claimed is not None
    assert claimed.body.data() == b"body\n"
    claimed.release()


def test_no_journal_no_work(tmp_path: Path) -> None:
    assert QueueStore(Layout(str(tmp_path / "none"))).recover() == []
    assert recovery.recover(Layout(str(tmp_path / "none"))) == []


def child(spool: Spool, acknowledged: int, done: int) -> None:
    """A process that accepts and delivers messages until it is killed, and tells of each."""
    import asyncio

    async def main() -> None:
        spool.store.open_journal(asyncio.get_running_loop(), spool.reports.append)
        journal = spool.store.journal
        assert journal is not None
        journal._segment_size = 40_000
        await asyncio.gather(*(waiting.run(session, number) for number in range(5)))

    def session(number: int) -> None:
        chance = random.Random(number)
        while True:
            message_id = spool.accept(b"x" * chance.randrange(3000))
            os.write(acknowledged, f"{message_id}\n".encode())
            choice = chance.random()
            claimed = spool.store.claim(message_id)
            if claimed is None or choice < 0.2:
                continue
            if choice < 0.3:
                claimed.update()
                claimed.release()
                continue
            os.write(done, f"{message_id}\n".encode())  # the delivery begins: from here on it may happen twice
            claimed.record_done("a@b")
            claimed.remove()
            waiting.sleep(0)

    asyncio.run(main())


@pytest.mark.slow
@pytest.mark.parametrize("milliseconds", [30, 80, 150, 250, 400])
def test_kill_9_at_any_moment_loses_nothing(spool: Spool, milliseconds: int) -> None:
    acknowledged, done = spool.directory / "acknowledged", spool.directory / "done"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    process = os.fork()
    if process == 0:
        child(spool, os.open(acknowledged, flags), os.open(done, flags))
        os._exit(0)
    import time

    time.sleep(milliseconds / 1000 + random.random() / 50)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    store = QueueStore(Layout(str(spool.directory)))
    store.recover()
    assert not list((spool.directory / "journal").iterdir()) if (spool.directory / "journal").exists() else True
    told = set(acknowledged.read_text().split()) if acknowledged.exists() else set()
    begun = set(done.read_text().split()) if done.exists() else set()
    found = set(store.list_ids())
    assert told - begun <= found
    # Deliveries that had ended before the kill are not done again, but for those of the last turn of the loop.
    assert len(begun & found) <= 5
    for message_id in found:
        claimed = store.claim(message_id)
        assert claimed is not None
        claimed.release()

"""What only hints on disk do: growing, crashes, several processes."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import lmdb
import pytest

from eximious import waiting
from eximious.hints import lmdb_file, lmdb_hints
from eximious.hints.lmdb_hints import LmdbHints
from eximious.hints.record import Callout, Retry, Serialize
from eximious.hints.store import HintsError


def record(text: str) -> Retry:
    made = Retry()
    made.text = text
    return made


def make(directory: Path, lost: list[str] | None = None) -> LmdbHints:
    return LmdbHints(str(directory / "db"), report=None if lost is None else lost.append)


def test_hints_last(tmp_path: Path) -> None:
    first = make(tmp_path)
    first.retry.put("R:a", record("x"))
    first.close()
    second = make(tmp_path)
    assert second.retry.get("R:a") is not None
    second.close()
    assert (tmp_path / "db" / "retry.lmdb").stat().st_mode & 0o777 == 0o640


def test_two_processes_at_once(tmp_path: Path) -> None:
    hints = make(tmp_path)

    def add(found: Serialize | None) -> Serialize:
        found = found or Serialize()
        found.count += 1
        return found

    hints.misc.change("n", add)
    child = os.fork()
    if child == 0:
        for _ in range(500):
            hints.misc.change("n", add)
        os._exit(0)
    for _ in range(500):
        hints.misc.change("n", add)
    assert os.waitpid(child, 0)[1] == 0
    found = hints.misc.get("n")
    assert found is not None
    assert found.count == 1001
    hints.close()


def test_the_map_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmdb_file, "FIRST_SIZE", 64 * 1024)
    hints = make(tmp_path)
    child = os.fork()
    if child == 0:
        try:
            for number in range(100):
                hints.retry.put(f"C:{number}", record("x" * 2000))
            os._exit(0)
        finally:
            os._exit(1)
    for number in range(100):
        hints.retry.put(f"R:{number}", record("x" * 2000))
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(hints.retry.items())) == 200
    monkeypatch.setattr(lmdb_file, "LARGEST_SIZE", 1024 * 1024)

    def fill() -> None:
        for number in range(1000):
            hints.retry.change(f"T:{number}", lambda found: record("x" * 2000))

    with pytest.raises(HintsError, match="larger than"):
        fill()
    assert hints.retry.get("R:99") is not None
    hints.close()


def test_a_map_that_another_process_makes_larger_while_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = [lmdb.MapResizedError("grown")]
    opened = lmdb_file.LmdbFile._open_environment

    def open_environment(file: lmdb_file.LmdbFile) -> object:
        if once:
            raise once.pop()
        return opened(file)

    monkeypatch.setattr(lmdb_file.LmdbFile, "_open_environment", open_environment)
    hints = make(tmp_path)
    hints.retry.put("R:a", record("x"))
    assert hints.retry.get("R:a") is not None
    hints.close()


@pytest.mark.parametrize("garbage", [b"garbage" * 10000, b"", b"\0" * 65536])
def test_a_broken_environment_is_begun_anew(tmp_path: Path, garbage: bytes) -> None:
    hints = make(tmp_path)
    hints.retry.put("R:a", record("x"))
    hints.close()
    (tmp_path / "db" / "retry.lmdb").write_bytes(garbage)
    lost: list[str] = []
    hints = make(tmp_path, lost)
    assert hints.retry.get("R:a") is None
    hints.retry.put("R:a", record("y"))
    assert hints.retry.get("R:a") is not None
    assert all("is broken" in line for line in lost)
    hints.close()


def test_after_a_crash_of_the_system_the_copy_counts(tmp_path: Path) -> None:
    hints = make(tmp_path)
    hints.retry.put("R:a", record("saved"))
    hints.sync()
    hints.retry.put("R:b", record("perhaps half written"))
    hints.close()
    (tmp_path / "db" / "hints.boot").write_text("another start\n")
    hints = make(tmp_path)
    assert hints.retry.get("R:a") is not None
    assert hints.retry.get("R:b") is None
    hints.close()


def test_who_stores_makes_a_copy_if_the_last_is_old(tmp_path: Path) -> None:
    now = [time.time()]
    hints = LmdbHints(str(tmp_path / "db"), now=lambda: now[0])
    saved = tmp_path / "db" / "retry.lmdb.saved"
    hints.retry.put("R:a", record("x"))
    first = saved.stat().st_ino
    now[0] += lmdb_hints.SAVE_AFTER / 2
    hints.retry.put("R:b", record("x"))
    assert saved.stat().st_ino == first
    now[0] += lmdb_hints.SAVE_AFTER
    hints.retry.change("R:c", lambda found: record("x"))
    assert saved.stat().st_ino != first
    assert saved.stat().st_mode & 0o777 == 0o640
    hints.close()


def test_on_a_loop_the_copy_is_made_meanwhile(tmp_path: Path) -> None:
    async def main() -> None:
        hints = make(tmp_path)
        await waiting.run(hints.retry.put, "R:a", record("x"))
        for _ in range(200):
            if (tmp_path / "db" / "retry.lmdb.saved").exists():
                break
            await asyncio.sleep(0.01)
        assert (tmp_path / "db" / "retry.lmdb.saved").exists()
        await asyncio.sleep(0.05)
        hints.close()

    asyncio.run(main())


def test_no_permission_is_an_error_to_live_with(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("not a directory")
    reports: list[str] = []
    hints = make(tmp_path, reports)
    assert hints.retry.get("R:a") is None
    hints.retry.put("R:a", record("x"))
    hints.retry.delete("R:a")
    assert list(hints.retry.items()) == []
    assert len(reports) == 1
    assert reports[0].startswith(f"cannot use hints in {tmp_path}/db")
    with pytest.raises(HintsError, match="cannot use hints"):
        hints.retry.change("R:a", lambda found: found)
    with pytest.raises(HintsError, match="cannot use hints"):
        hints.names()


def test_a_database_that_was_removed_is_forgotten(tmp_path: Path) -> None:
    hints = make(tmp_path)
    hints.retry.put("R:a", record("x"))
    hints.callout.put("b", Callout())
    for path in (tmp_path / "db").glob("retry*"):
        path.unlink()
    assert hints.retry.get("R:a") is None
    hints.retry.put("R:b", record("y"))
    assert list(hints.retry.keys()) == ["R:b"]
    assert hints.callout.get("b") is not None
    assert hints.names() == ["callout", "retry"]
    hints.close()


def test_looking_makes_no_database(tmp_path: Path) -> None:
    hints = make(tmp_path)
    assert hints.retry.get("R:a") is None
    assert list(hints.wait("smtp").items()) == []
    assert hints.names() == []
    hints.retry.delete("R:a")
    assert hints.names() == []
    hints.close()


def test_who_may_only_read_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hints = make(tmp_path)
    hints.retry.put("R:a", record("x"))
    hints.close()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    reports: list[str] = []
    hints = make(tmp_path, reports)
    assert list(hints.retry.keys()) == ["R:a"]
    hints.retry.put("R:b", record("y"))
    assert len(reports) == 1
    hints.close()
    (tmp_path / "db" / "retry.lmdb").write_bytes(b"garbage" * 1000)
    with pytest.raises(HintsError, match="is broken"):
        hints.retry.change("R:a", lambda found: found)
    assert (tmp_path / "db" / "retry.lmdb").exists()


@pytest.mark.parametrize("name", ["wait-../x", "wait-a/b", "wait-a\0b"])
def test_names_lead_nowhere_else(tmp_path: Path, name: str) -> None:
    hints = make(tmp_path)
    table = hints.by_name(name)
    assert table is not None
    with pytest.raises(HintsError, match="bad name"):
        table.change("k", lambda found: found)

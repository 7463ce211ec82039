"""The queue in spool files: Exim's layout, locks, and what is left after something failed."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path

import pytest

from eximious.spool import files
from eximious.spool.body import Body
from eximious.spool.errors import SpoolError, SpoolFormatError
from eximious.spool.layout import Layout
from eximious.spool.message import Header, Message, Recipient
from eximious.spool.message_id import new_id
from eximious.spool.message_log import MessageLogs
from eximious.spool.store import QueueStore


def store(directory: Path, *, split: bool = False, preserve: bool = False) -> QueueStore:
    layout = Layout(str(directory), split)
    return QueueStore(layout, MessageLogs(layout, preserve=preserve))


def message(queue_name: str = "") -> Message:
    made = Message()
    made.id = new_id()
    made.queue_name = queue_name
    made.login = "root"
    made.received_at = 1795559750.5
    made.recipients = [Recipient("a@b"), Recipient("c@d")]
    made.headers = [Header("Subject: x\n"), Header("From: y\n", "*")]
    return made


def accepted(queue: QueueStore, text: bytes = b"body\n", queue_name: str = "") -> str:
    made = message(queue_name)
    body = queue.new_body()
    body.append(text)
    made.body_line_count = text.count(b"\n")
    queue.accept(made, body)
    return made.id


def names(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


@pytest.mark.parametrize("text", [b"", b"body\n", b"x" * 999_999 + b"\n"])
@pytest.mark.parametrize("split", [False, True])
def test_files_are_exims(tmp_path: Path, split: bool, text: bytes) -> None:
    queue = store(tmp_path, split=split)
    message_id = accepted(queue, text)
    folder = f"input/{message_id[5]}" if split else "input"
    assert names(tmp_path) == [f"{folder}/{message_id}-D", f"{folder}/{message_id}-H"]
    data = tmp_path / folder / f"{message_id}-D"
    assert data.read_bytes() == f"{message_id}-D\n".encode() + text
    assert data.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / folder).stat().st_mode & 0o777 == 0o750
    header = (tmp_path / folder / f"{message_id}-H").read_text()
    assert header.startswith(f"{message_id}-H\nroot 0 0\n<>\n1795559750 0\n-received_time_usec .500000\n")


@pytest.mark.parametrize(("then", "now"), [(False, True), (True, False)])
def test_messages_are_found_wherever_they_are(tmp_path: Path, then: bool, now: bool) -> None:
    message_id = accepted(store(tmp_path, split=then))
    queue = store(tmp_path, split=now)
    assert queue.list_ids() == [message_id]
    claimed = queue.claim(message_id)
    assert claimed is not None
    claimed.update()
    claimed.remove()
    assert names(tmp_path) == []


def test_named_queue(tmp_path: Path) -> None:
    queue = store(tmp_path)
    message_id = accepted(queue, queue_name="slow")
    assert names(tmp_path) == [f"slow/input/{message_id}-D", f"slow/input/{message_id}-H"]
    assert queue.list_ids() == []
    assert queue.list_ids("slow") == [message_id]
    assert queue.claim(message_id) is None
    claimed = queue.claim(message_id, "slow")
    assert claimed is not None
    claimed.log("x")
    assert (tmp_path / "slow" / "msglog" / message_id).read_text() == "x\n"
    claimed.remove()
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["../x", "a/b", ".", "..", "a\0b"])
def test_queue_names_lead_nowhere_else(tmp_path: Path, name: str) -> None:
    queue = store(tmp_path)
    with pytest.raises(SpoolError, match="bad queue name"):
        queue.list_ids(name)
    with pytest.raises(SpoolError, match="bad queue name"):
        accepted(queue, queue_name=name)


@pytest.mark.parametrize("message_id", ["", "../../etc/passwd", "1xVz78-00000000006-3Kb", "x" * 5000, "a\0b"])
def test_bad_ids_are_no_messages(tmp_path: Path, message_id: str) -> None:
    queue = store(tmp_path)
    assert queue.claim(message_id) is None
    assert queue.read(message_id) is None
    made = message()
    made.id = message_id
    with pytest.raises(SpoolError, match="bad message id"):
        queue.accept(made, Body())


def test_claim_gives_the_message(tmp_path: Path) -> None:
    queue = store(tmp_path)
    message_id = accepted(queue, b"one\ntwo\n")
    claimed = queue.claim(message_id)
    assert claimed is not None
    found = claimed.message
    assert b"".join(claimed.body.chunks()) == b"one\ntwo\n"
    assert found.body is claimed.body
    assert (found.id, found.body_size, found.body_line_count, found.size) == (message_id, 8, 2, 11 + 1 + 8)
    assert [recipient.address for recipient in found.recipients] == ["a@b", "c@d"]
    claimed.release()


def test_the_size_counts_the_empty_line_too(tmp_path: Path) -> None:
    queue = store(tmp_path)
    made = message()
    made.headers = [Header("Subject: x\n"), Header("X: y\n z\n"), Header("Gone: x\n", "*")]
    made.body_line_count = 2
    queue.accept(made, Body.of(b"body\nl2\n"))
    claimed = queue.claim(made.id)
    assert claimed is not None
    assert (claimed.message.size, claimed.message.body_size, claimed.message.line_count) == (11 + 8 + 1 + 8, 8, 5)
    claimed.release()


def test_wire_format(tmp_path: Path) -> None:
    queue = store(tmp_path)
    message_id = accepted(queue)
    header = tmp_path / "input" / f"{message_id}-H"
    header.write_text(header.read_text().replace("-body_linecount 1\n", "-spool_file_wireformat\n"))
    data = tmp_path / "input" / f"{message_id}-D"
    data.write_bytes(f"{message_id}-D\n".encode() + b"one\r\ntwo\r\n")
    claimed = queue.claim(message_id)
    assert claimed is not None
    assert b"".join(claimed.body.chunks()) == b"one\ntwo\n"
    assert claimed.message.body_line_count == 2
    claimed.update()
    assert "-spool_file_wireformat\n" in header.read_text()
    assert "body_linecount" not in header.read_text()
    claimed.release()


def test_only_one_claims(tmp_path: Path) -> None:
    queue = store(tmp_path)
    message_id = accepted(queue)
    first = queue.claim(message_id)
    assert first is not None
    assert queue.claim(message_id) is None
    fd = first.body.open_fd()
    os.close(fd)  # closing another descriptor must not unlock
    assert queue.claim(message_id) is None
    first.release()
    second = queue.claim(message_id)
    assert second is not None
    second.remove()
    assert queue.claim(message_id) is None


def locks_as_exim(path: Path) -> bool:
    """Does a process of Exim's get its lock (fcntl, on the first line)?"""
    child = os.fork()
    if child == 0:
        with path.open("r+b") as file:
            lock = struct.pack("hh4xqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 26, 0)
            try:
                fcntl.fcntl(file, fcntl.F_SETLK, lock)
            except OSError:
                os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def test_exim_sees_our_lock_and_we_see_exims(tmp_path: Path) -> None:
    queue = store(tmp_path)
    message_id = accepted(queue)
    data = tmp_path / "input" / f"{message_id}-D"
    assert locks_as_exim(data)
    claimed = queue.claim(message_id)
    assert claimed is not None
    assert not locks_as_exim(data)
    claimed.release()
    locked, end = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        with data.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX, 26)
            os.write(locked[1], b"x")
            os.read(end[0], 1)
            os._exit(0)
    os.read(locked[0], 1)
    assert queue.claim(message_id) is None
    os.write(end[1], b"x")
    os.waitpid(child, 0)
    for fd in (*locked, *end):
        os.close(fd)
    again = queue.claim(message_id)
    assert again is not None
    again.release()


def test_what_is_done_is_remembered(tmp_path: Path) -> None:
    queue = store(tmp_path)
    message_id = accepted(queue)
    claimed = queue.claim(message_id)
    assert claimed is not None
    claimed.record_done("a@b")
    claimed.record_done("odd\naddress")
    claimed.release()
    journal = tmp_path / "input" / f"{message_id}-J"
    assert journal.read_bytes() == b"a@b\nodd address\n"
    journal.write_bytes(journal.read_bytes() + b"cut o")  # by a crash
    looked_at = queue.read(message_id)
    assert looked_at is not None
    assert looked_at.nonrecipients == {"a@b", "odd address"}
    claimed = queue.claim(message_id)
    assert claimed is not None
    assert claimed.message.nonrecipients == {"a@b", "odd address"}
    claimed.message.is_frozen = True
    claimed.update()
    assert not journal.exists()
    claimed.record_done("c@d")
    claimed.release()
    assert journal.read_bytes() == b"c@d\n"
    looked_at = queue.read(message_id)
    assert looked_at is not None
    assert looked_at.nonrecipients == {"a@b", "odd address", "c@d"}
    assert looked_at.is_frozen
    claimed = queue.claim(message_id)
    assert claimed is not None
    claimed.remove()
    assert names(tmp_path) == []


def test_list_ids(tmp_path: Path) -> None:
    queue = store(tmp_path)
    made = [accepted(queue) for _ in range(20)]
    (tmp_path / "input" / "hdr.1xVz78-00000000006-3KbK").touch()
    (tmp_path / "input" / "nonsense-H").touch()
    assert queue.list_ids() == made
    assert queue.list_ids(in_order=False) != made
    assert sorted(queue.list_ids(in_order=False)) == made
    assert store(tmp_path / "nowhere").list_ids() == []


def test_files_that_are_none_of_exims_are_errors(tmp_path: Path) -> None:
    queue = store(tmp_path)
    message_id = accepted(queue)
    (tmp_path / "input" / f"{message_id}-H").write_text("garbage\n")
    with pytest.raises(SpoolFormatError):
        queue.claim(message_id)
    with pytest.raises(SpoolFormatError):
        queue.read(message_id)
    (tmp_path / "input" / f"{message_id}-H").unlink()
    assert queue.claim(message_id) is None  # and it is unlocked again:
    assert locks_as_exim(tmp_path / "input" / f"{message_id}-D")


def test_links_are_not_followed(tmp_path: Path) -> None:
    queue = store(tmp_path)
    message_id = accepted(queue)
    data = tmp_path / "input" / f"{message_id}-D"
    data.rename(tmp_path / "elsewhere")
    data.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SpoolError, match="cannot open"):
        queue.claim(message_id)


CALLS = ["open", "write", "fdatasync", "rename", "mkdir", "fsync"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [10, 300_000])
def test_a_failure_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, nth: int, size: int
) -> None:
    queue = store(tmp_path)
    real = getattr(os, call)
    count = 0

    def fail(*args: object, **kwargs: object) -> object:
        nonlocal count
        count += 1
        if count == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **kwargs)

    made = message()
    body = queue.new_body()
    monkeypatch.setattr(os, call, fail)
    try:
        body.append(b"x" * size)
        queue.accept(made, body)
    except SpoolError:
        monkeypatch.undo()
        body.close()
        assert names(tmp_path) == []
        assert queue.list_ids() == []
    else:
        monkeypatch.undo()
        assert queue.list_ids() == [made.id]


@pytest.mark.parametrize("call", ["open", "write", "fdatasync", "rename"])
def test_an_update_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    queue = store(tmp_path)
    message_id = accepted(queue)
    claimed = queue.claim(message_id)
    assert claimed is not None
    claimed.record_done("a@b")
    before = names(tmp_path)

    def fail(*args: object, **kwargs: object) -> object:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(SpoolError, match="Input/output error"):
        claimed.update()
    monkeypatch.undo()
    claimed.release()
    assert names(tmp_path) == before
    looked_at = queue.read(message_id)
    assert looked_at is not None
    assert looked_at.nonrecipients == {"a@b"}


def test_without_links_to_open_files_the_body_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_link", lambda fd, path: False)
    queue = store(tmp_path)
    message_id = accepted(queue, b"x" * 300_000)
    assert (tmp_path / "input" / f"{message_id}-D").stat().st_size == 300_026
    claimed = queue.claim(message_id)
    assert claimed is not None
    assert claimed.body.size == 300_000
    claimed.release()


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL])
def test_file_systems_without_nameless_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    real = os.open

    def no_nameless(path: str, flags: int, mode: int = 0o777, **kwargs: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(number, os.strerror(number))
        return real(path, flags, mode, **kwargs)

    monkeypatch.setattr(os, "open", no_nameless)
    queue = store(tmp_path)
    message_id = accepted(queue, b"x" * 300_000)
    assert names(tmp_path) == [f"input/{message_id}-D", f"input/{message_id}-H"]
    claimed = queue.claim(message_id)
    assert claimed is not None
    assert claimed.body.size == 300_000
    claimed.release()


def test_messages_of_exim_before_4_97(tmp_path: Path) -> None:
    """Ids of 16 characters: the first line of the -D file is shorter then."""
    queue = store(tmp_path, split=True)
    message_id = accepted(queue, b"one\ntwo\n")
    old = "16VDhn-0001bo-D3"
    folder = tmp_path / "input" / old[5]
    folder.mkdir()
    for path in tmp_path.glob(f"input/*/{message_id}-[DH]"):
        (folder / f"{old}{path.name[-2:]}").write_bytes(path.read_bytes().replace(message_id.encode(), old.encode()))
        path.unlink()
    assert queue.list_ids() == [old]
    claimed = queue.claim(old)
    assert claimed is not None
    assert claimed.body.data() == b"one\ntwo\n"
    claimed.record_done("a@b")
    claimed.update()
    claimed.release()
    looked_at = queue.read(old)
    assert looked_at is not None
    assert looked_at.nonrecipients == {"a@b"}
    claimed = queue.claim(old)
    assert claimed is not None
    claimed.remove()
    assert names(tmp_path) == []


def test_message_logs(tmp_path: Path) -> None:
    queue = store(tmp_path, split=True, preserve=True)
    message_id = accepted(queue)
    claimed = queue.claim(message_id)
    assert claimed is not None
    claimed.log("first")
    claimed.log("second\n2026-11-24 forged")
    assert queue.logs.read(message_id, "") == "first\nsecond 2026-11-24 forged\n"
    claimed.remove()
    assert names(tmp_path) == [f"msglog.OLD/{message_id}"]
    assert queue.logs.read(message_id, "") is None


def test_no_message_logs(tmp_path: Path) -> None:
    queue = store(tmp_path)
    queue.logs.enabled = False
    message_id = accepted(queue)
    claimed = queue.claim(message_id)
    assert claimed is not None
    claimed.log("first")
    assert not (tmp_path / "msglog").exists()
    claimed.remove()

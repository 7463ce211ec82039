"""Appending to a mailbox: what is written, what is refused, and that failures leave no trace."""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eximious.transports.jobs import append
from eximious.transports.outcome import BAD_CREATION, BAD_MODE, BAD_OWNER, LOCK_FAILED, NOT_REGULAR_FILE, QUOTA
from tests.transports.jobs.options import job


def test_creates_and_appends(tmp_path: Path) -> None:
    mailbox = tmp_path / "deep" / "er" / "box"
    for _ in range(2):
        assert append.perform(job("append", mailbox)).values["size"] == 8
    assert mailbox.read_bytes() == b"message\nmessage\n"
    assert mailbox.stat().st_mode & 0o777 == 0o600
    assert mailbox.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in mailbox.parent.iterdir()] == ["box"]


def symlink(box: Path) -> None:
    (box.parent / "target").write_text("")
    box.symlink_to(box.parent / "target")


def hard_link(box: Path) -> None:
    """CVE-2010-2023: in a sticky directory anybody can link a user's other file to the name of the mailbox."""
    other = box.parent / "precious"
    other.write_text("")
    other.chmod(0o600)
    box.hardlink_to(other)


def directory(box: Path) -> None:
    box.mkdir()


def foreign_directory(box: Path) -> None:
    box.mkdir()
    os.chown(box, 65534, 65534)


def foreign_symlink(box: Path) -> None:
    symlink(box)
    os.chown(box, 65534, 65534, follow_symlinks=False)


def narrow(box: Path) -> None:
    box.write_text("")
    box.chmod(0o400)


def nothing(box: Path) -> None:
    pass


def ten_octets(box: Path) -> None:
    box.write_text("0123456789")
    box.chmod(0o600)


REFUSALS: list[tuple[Callable[[Path], None], dict[str, Any], int, str]] = [
    (symlink, {}, NOT_REGULAR_FILE, "mailbox {} is a symlink (not permitted)"),
    (hard_link, {}, NOT_REGULAR_FILE, "mailbox {} has too many links (2)"),
    (directory, {}, NOT_REGULAR_FILE, "mailbox {} is not a regular file"),
    (foreign_directory, {}, BAD_OWNER, "mailbox {} has wrong uid (65534 != 0)"),
    (foreign_symlink, {}, BAD_OWNER, "mailbox {} (symlink) has wrong uid (65534 != 0)"),
    (narrow, {}, BAD_MODE, "mailbox {} has the wrong mode 0400 (mode 0600 expected)"),
    (nothing, {"file_must_exist": True}, errno.ENOENT, "mailbox {} does not exist, but file_must_exist is set"),
    (
        nothing,
        {"create_file": "inhome", "home": "/nowhere"},
        BAD_CREATION,
        "mailbox {} does not exist, but creation outside the home directory is not permitted",
    ),
    (ten_octets, {"quota": 19}, QUOTA, "mailbox is full (MTA-imposed quota exceeded while writing to {})"),
    (ten_octets, {"file_format": [["From ", "local_delivery"]]}, -33, "mailbox file format unrecognized"),
]


@pytest.mark.parametrize(("prepare", "options", "number", "message"), REFUSALS)
def test_refusals(
    tmp_path: Path, prepare: Callable[[Path], None], options: dict[str, Any], number: int, message: str
) -> None:
    if number == BAD_OWNER and os.geteuid():
        pytest.skip("only root can make a file of another user")
    box = tmp_path / "box"
    prepare(box)
    before = sorted(entry.name for entry in tmp_path.iterdir())
    ended = append.perform(job("append", box, **options))
    assert (ended.status, ended.errno, ended.message) == ("deferred", number, message.format(box))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before


def test_directories_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    box = tmp_path / "home" / "deep" / "box"
    ended = append.perform(job("append", box))
    text = f"failed to create directories for {box}: Not a directory"
    assert (ended.status, ended.errno, ended.message) == ("deferred", errno.ENOTDIR, text)


def test_rights_that_are_too_wide_are_taken_away(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.write_text("")
    box.chmod(0o666)
    assert append.perform(job("append", box)).status == "delivered"
    assert box.stat().st_mode & 0o777 == 0o600


def test_a_symlink_is_followed_if_that_is_allowed(tmp_path: Path) -> None:
    symlink(tmp_path / "box")
    (tmp_path / "target").chmod(0o600)
    assert append.perform(job("append", tmp_path / "box", allow_symlink=True)).status == "delivered"
    assert (tmp_path / "target").read_bytes() == b"message\n"


def test_a_mailbox_with_a_lock_file(tmp_path: Path) -> None:
    box = tmp_path / "box"
    (tmp_path / "box.lock").write_text("")
    ended = append.perform(job("append", box))
    assert (ended.errno, ended.message) == (LOCK_FAILED, f"failed to lock mailbox {box} (lock file)")
    assert [entry.name for entry in tmp_path.iterdir()] == ["box.lock"]


def test_an_old_lock_file_is_removed(tmp_path: Path) -> None:
    (tmp_path / "box.lock").write_text("")
    assert append.perform(job("append", tmp_path / "box", lockfile_timeout=1e-6)).status == "delivered"


@pytest.mark.parametrize("blocking", [0, 0.05])
def test_a_mailbox_locked_by_flock(tmp_path: Path, blocking: float) -> None:
    box = tmp_path / "box"
    ten_octets(box)
    with box.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        options: dict[str, Any] = {"use_flock_lock": True, "use_fcntl_lock": False, "lock_flock_timeout": blocking}
        ended = append.perform(job("append", box, **options))
    assert (ended.errno, ended.message) == (LOCK_FAILED, f"failed to lock mailbox {box} (flock)")


def test_a_failed_write_leaves_the_mailbox_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = tmp_path / "box"
    ten_octets(box)
    os.utime(box, (1000, 2000))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ended = append.perform(job("append", box))
    assert (ended.status, ended.errno, ended.message) == ("deferred", errno.ENOSPC, f"error while writing to {box}")
    assert box.read_text() == "0123456789"
    assert box.stat().st_mtime == 2000


def test_warning_when_the_threshold_is_crossed(tmp_path: Path) -> None:
    box = tmp_path / "box"
    warned = [append.perform(job("append", box, warn_threshold=15)).values["warn"] for _ in range(3)]
    assert warned == [False, True, False]


def test_another_transport_is_named_by_the_format(tmp_path: Path) -> None:
    box = tmp_path / "box"
    ten_octets(box)
    ended = append.perform(job("append", box, file_format=[["01", "other"], ["From", "local_delivery"]]))
    assert ended.values["other_transport"] == "other"


def test_mbx(tmp_path: Path) -> None:
    box = tmp_path / "box"
    options: dict[str, Any] = {"mbx_format": True, "use_mbx_lock": True, "use_lockfile": False, "use_fcntl_lock": False}
    assert append.perform(job("append", box, **options)).status == "delivered"
    text = box.read_bytes()
    assert re.match(rb"\*mbx\*\r\n[0-9a-f]{8}00000000\r\n(\r\n){30}\0", text)
    assert text[2048:].endswith(b",9;000000000000-00000000\r\nmessage\r\n")
    state = box.stat()
    lock = Path(f"/tmp/.{state.st_dev:x}.{state.st_ino:x}")
    assert lock.exists()
    lock.unlink()


def test_cve_2010_2024_an_mbx_lock_that_is_a_link(tmp_path: Path) -> None:
    """The name of the lock in /tmp is known to all."""
    box = tmp_path / "box"
    ten_octets(box)
    state = box.stat()
    lock = Path(f"/tmp/.{state.st_dev:x}.{state.st_ino:x}")
    victim = tmp_path / "victim"
    lock.symlink_to(victim)
    try:
        ended = append.perform(job("append", box, mbx_format=True, use_mbx_lock=True, use_lockfile=False))
    finally:
        lock.unlink()
    assert ended.status == "deferred"
    assert not victim.exists()


@pytest.mark.parametrize(("size", "status"), [(None, "delivered"), (10, "delivered"), (11, "deferred")])
def test_looking_for_room_changes_nothing(tmp_path: Path, size: int | None, status: str) -> None:
    box = tmp_path / "sub" / "box"
    if size is not None:
        box.parent.mkdir()
        box.write_bytes(b"x" * size)
    ended = append.perform(job("append", box, only_looks=True, quota=20))
    assert ended.status == status
    assert ended.errno == (0 if status == "delivered" else QUOTA)
    if size is None:
        assert not box.parent.exists()
    else:
        assert box.read_bytes() == b"x" * size

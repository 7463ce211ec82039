"""exim_lock: a mailbox is locked while a command runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eximious.exim.utilities import exim_lock


def test_the_lock_file_is_there_while_the_command_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    box = tmp_path / "box"
    box.touch()
    assert exim_lock.main([str(box), f"ls {tmp_path}"]) == 0
    output = capfd.readouterr().out
    assert "box.lock\n" in output
    assert "exim_lock: lock file successfully created" in output
    assert "exim_lock: fcntl() lock successfully applied" in output
    assert os.listdir(tmp_path) == ["box"]


@pytest.mark.parametrize("kinds", [["-fcntl"], ["-flock"], ["-fcntl", "-flock"], ["-lockfile"]])
def test_kinds(kinds: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    box = tmp_path / "box"
    box.touch()
    assert exim_lock.main(["-q", *kinds, str(box), f"ls {tmp_path}"]) == 0
    assert ("box.lock" in capfd.readouterr().out) is ("-lockfile" in kinds)


def test_somebody_else_has_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    box = tmp_path / "box"
    box.touch()
    (tmp_path / "box.lock").touch()
    assert exim_lock.main(["-retries", "1", "-interval", "0", str(box), "true"]) == 1
    assert "exim_lock: " in capfd.readouterr().err


def test_a_mailbox_that_is_not_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert exim_lock.main(["-fcntl", str(tmp_path / "absent"), "true"]) == 1
    assert "No such file or directory" in capfd.readouterr().err


def test_times_are_restored(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    box = tmp_path / "box"
    box.touch()
    os.utime(box, (1000, 2000))
    assert exim_lock.main(["-q", "-restore-times", str(box), f"echo x >> {box}"]) == 0
    assert box.stat().st_mtime == 2000


@pytest.mark.parametrize("arguments", [[], ["-x", "f"], ["a", "b", "c"], ["-retries", "x", "f"]])
def test_usage(arguments: list[str]) -> None:
    assert exim_lock.main(arguments) == 1

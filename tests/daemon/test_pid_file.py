"""The file with the daemon's process id."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from eximious.daemon import pid_file

PLACES = [
    ("", True, False, "/spool/exim-daemon.pid"),
    ("", True, True, ""),
    ("", False, False, ""),
    ("/given", True, True, "/given"),
    ("/given", False, False, "/given"),
]


@pytest.mark.parametrize(("given", "is_listening", "is_overridden", "expected"), PLACES)
def test_place(given: str, is_listening: bool, is_overridden: bool, expected: str) -> None:
    main: Any = SimpleNamespace(pid_file_path="", spool_directory="/spool")
    assert pid_file.path(main, given, is_listening=is_listening, is_overridden=is_overridden) == expected


def test_place_of_the_configuration() -> None:
    main: Any = SimpleNamespace(pid_file_path="/run/x.pid", spool_directory="/spool")
    assert pid_file.path(main, "", is_listening=True, is_overridden=False) == "/run/x.pid"


def test_written_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    pid_file.write(str(path))
    assert path.read_text() == f"{os.getpid()}\n"
    pid_file.remove(str(path))
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_file_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("1\n")
    pid_file.remove(str(path))
    assert path.exists()
    path.write_text("nonsense\n")
    pid_file.remove(str(path))
    assert path.exists()


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """CVE-2020-28014: what a link in a directory of the mail user points to stays as it is."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "pid"
    path.symlink_to(victim)
    pid_file.write(str(path))
    assert victim.read_text() == "precious"
    assert not path.is_symlink()
    path.unlink()
    path.symlink_to(victim)
    pid_file.remove(str(path))
    assert victim.exists()

"""What exiwhat reads."""

from __future__ import annotations

import os
from pathlib import Path

from eximious.config.configuration import Configuration
from eximious.config.main import MainOptions
from eximious.daemon import process_log


def test_a_line_a_thing_that_is_going_on(tmp_path: Path) -> None:
    config = Configuration(MainOptions(spool_directory=str(tmp_path)))
    process_log.report(config, "worker: 1 connections, 0 deliveries", "handling incoming connection from [192.0.2.1]")
    lines = (tmp_path / "exim-process.info").read_text().splitlines()
    assert lines == [
        f"{os.getpid():5d} 4.99 worker: 1 connections, 0 deliveries",
        f"{os.getpid():5d} 4.99 handling incoming connection from [192.0.2.1]",
    ]


def test_the_option_says_where(tmp_path: Path) -> None:
    path = tmp_path / "other"
    config = Configuration(MainOptions(spool_directory="/nowhere", process_log_path=str(path)))
    process_log.report(config, "text")
    assert path.read_text().endswith(" text\n")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "exim-process.info").symlink_to(victim)
    process_log.report(Configuration(MainOptions(spool_directory=str(tmp_path))), "text")
    assert victim.read_text() == "precious"

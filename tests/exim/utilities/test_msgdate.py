"""exim_msgdate: ids as times. The expected times are those of Exim's own program."""

from __future__ import annotations

import pytest

from eximious.exim.utilities import exim_msgdate

TIMES = [
    ("-z 1rYxXx-000000001xy-0abc", "2024-02-11 00:18:13.140716\n"),
    ("-u 16VDhn-0001bo-D3", "1012231703.404500\n"),
    ("-z --pid 1xVzfO-000000001hO-1vBh", "2026-11-24 23:11:14.458161\tpid 6534\n"),
    ("--GMT /x/16VDhn-0001bo-D3-H", "2002-01-28 15:28:23.404500\n"),
    ("-z E16VDhn-0001bo-D3", "2002-01-28 15:28:23.404500\n"),
    ("-u 16VDhn", "1012231703.000000\n"),
    ("-z -u 16VDhn", "1012231703.000000\n2002-01-28 15:28:23.000000\n"),
    ("foo", "foo not parsed\n"),
    ("-u --b36 1PANS3", "102953955.000000\n"),
    ("-u --localhost_number 5 1xVzfO-000000001hO-1vBh", "1795561874.916322\n"),
    ("-u --localhost_number=4 16VDhn-0001bo-D3", "1012231703.045000\n"),
]


@pytest.mark.parametrize(("arguments", "expected"), TIMES)
def test_time(arguments: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = arguments.split()
    if "number" not in arguments:
        words += ["--localhost_number", "none"]
    assert exim_msgdate.main(words) == 0
    assert capsys.readouterr().out == expected


FAULTS = [
    ("--nonsense 16VDhn", 2),
    ("--base 17 16VDhn", 2),
    ("--localhost_number=20 16VDhn", 255),
    ("--b36 --localhost_number=11 16VDHN", 255),
    ("--b36 --localhost_number=1 zzzzzz", 255),
]


@pytest.mark.parametrize(("arguments", "status"), FAULTS)
def test_fault(arguments: str, status: int) -> None:
    assert exim_msgdate.main(arguments.split()) == status


def test_an_id_of_another_host_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    exim_msgdate.main(["-u", "--localhost_number=5", "16VDhn-0001bo-D3"])
    assert capsys.readouterr().err == "localhost 4 from message-id != given number 5\n"


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert exim_msgdate.main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage:")

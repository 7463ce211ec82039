"""exiqgrep and exiqsumm, on listings of a queue."""

from __future__ import annotations

import io

import pytest

from eximious.exim.utilities import exim_checkaccess, exinext, exiqgrep, exiqsumm, program
from eximious.exim.utilities.listing import read

LISTING = """\
25m   231 1xW0HJ-000000007bL-2uX1 <> *** frozen ***
          x@remote.test

90m  2.9K 1xW0HJ-000000007bu-37Ho <root@mail.test>
        D x@remote.test
          v@local.test

 2d    12 1xW0HJ-000000007cB-3MyG <alice@mail.test> (alice)
          w@local.test

"""


def test_reading_a_listing() -> None:
    entries = list(read(LISTING.splitlines()))
    assert [(entry.id[-4:], entry.sender, entry.is_frozen, entry.age) for entry in entries] == [
        ("2uX1", "<>", True, 1500),
        ("37Ho", "<root@mail.test>", False, 5400),
        ("3MyG", "<alice@mail.test>", False, 172800),
    ]
    assert entries[1].recipients == ["x@remote.test", "v@local.test"]
    assert entries[1].pending == ["v@local.test"]
    assert [entry.size for entry in entries] == [231, 2970, 12]


SELECTIONS: list[tuple[list[str], list[str]]] = [
    (["-i", "-f", "^<>$"], ["2uX1"]),
    (["-i", "-f", "ROOT"], ["37Ho"]),
    (["-i", "-r", "local"], ["37Ho", "3MyG"]),
    (["-iz"], ["2uX1"]),
    (["-ix"], ["37Ho", "3MyG"]),
    (["-iRx"], ["3MyG", "37Ho"]),
    (["-i", "-s", "K"], ["37Ho"]),
    (["-i", "-r", "remote", "-f", "<>"], ["2uX1"]),
    (["-i", "-o", "10"], ["2uX1", "37Ho", "3MyG"]),
    (["-i", "-y", "10"], []),
]


@pytest.mark.parametrize(("arguments", "expected"), SELECTIONS)
def test_selection(
    arguments: list[str], expected: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "output", lambda words, text="": LISTING)
    assert exiqgrep.main(arguments) == 0
    assert [line[-4:] for line in capsys.readouterr().out.splitlines()] == expected


def test_forms(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(program, "output", lambda words, text="": LISTING)
    exiqgrep.main(["-c"])
    exiqgrep.main(["-b", "-z"])
    exiqgrep.main(["-z"])
    assert capsys.readouterr().out == (
        "3 matches out of 3 messages\n"
        "1xW0HJ-000000007bL-2uX1 From: <> To: x@remote.test\n"
        "25m   231 1xW0HJ-000000007bL-2uX1 <> *** frozen ***\n\t  x@remote.test\n\n"
    )


COMMANDS = [
    ({}, ["EXIM", "-bpu"]),
    ({"a": ""}, ["EXIM", "-bp"]),
    ({"C": "/c", "G": "q"}, ["EXIM", "-qGq", "-bpu", "-C", "/c"]),
]


@pytest.mark.parametrize(("given", "expected"), COMMANDS)
def test_the_command(given: dict[str, str], expected: list[str]) -> None:
    assert exiqgrep.listing_command({"E": "EXIM", **given}) == expected


def test_help_and_complaints(capsys: pytest.CaptureFixture[str]) -> None:
    assert exiqgrep.main(["-h"]) == 0
    assert exiqgrep.main([]) == 1
    for arguments in (["-q"], ["x"], ["-f"], ["-f", "("], ["-o", "x"]):
        assert exiqgrep.main(arguments) == 1
    assert "Selection criteria" in capsys.readouterr().out


SUMS = [
    ([], ["    2    2982     48h     90m  local.test", "    1     231     25m     25m  remote.test"]),
    (["-f"], ["    1     231     25m     25m  remote.test (f)"]),
    (["-b"], ["    1     231     25m     25m  remote.test (b)"]),
    (["-s"], ["    2    2982     48h     90m  mail.test > local.test"]),
]


@pytest.mark.parametrize(("arguments", "lines"), SUMS)
def test_sums(
    arguments: list[str], lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LISTING.encode())))
    assert exiqsumm.main(arguments) == 0
    output = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line not in output] == []
    assert "    3    3213     48h     25m  TOTAL" in output


REPLIES = [
    ("220 x\n250 a\n250 b\n250 c\n221 d\n", None),
    ("220 x\n250 a\n250 b\n550 Relay not permitted\n221 d\n", "550 Relay not permitted"),
    ("220 x\n250 a\n250 b\n451-try\n451 later\n", "451-try\n  451 later"),
    ("554 no\n", "554 no"),
]


@pytest.mark.parametrize(("output", "expected"), REPLIES)
def test_access(output: str, expected: str | None) -> None:
    assert exim_checkaccess.first_refusal(output) == expected


CONCERNS = [
    ("T:w@local.test", "w@local.test", [], True),
    ("T:w@local.test", "local.test", [], True),
    ("T:w@local.test", "w", [], True),
    ("T:w@local.test", "v@local.test", [], False),
    ("R:local.test", "w@local.test", [], True),
    ("T:[192.0.2.1]:192.0.2.1:1999", "192.0.2.1", [], True),
    ("T:mx.far.test:192.0.2.1", "far.test", ["mx.far.test", "192.0.2.1"], True),
    ("T:mx.far.test:192.0.2.1", "other.test", [], False),
    ("T:mx.far.test:192.0.2.1:1xW0HJ-000000007bL-2uX1", "1xW0HJ-000000007bL-2uX1", [], True),
]


@pytest.mark.parametrize(("key", "wanted", "hosts", "expected"), CONCERNS)
def test_which_records_concern_what(key: str, wanted: str, hosts: list[str], expected: bool) -> None:
    assert exinext.concerns(key, wanted, hosts) is expected

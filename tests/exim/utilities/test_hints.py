"""exim_dumpdb, exim_tidydb, exim_fixdb."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from eximious.exim.utilities import exim_dumpdb, exim_fixdb, exim_tidydb
from eximious.hints.lmdb_hints import LmdbHints
from eximious.hints.record import Callout, Rate, Retry, Serialize, Stamp, Waiting

KEY = "T:mx.far.test:192.0.2.1:1999"
MESSAGE = "1xW0HJ-000000007bL-2uX1"


@pytest.fixture
def spool(tmp_path: Path) -> str:
    """A spool directory with some hints."""
    hints = LmdbHints(f"{tmp_path}/db")
    retry = Retry()
    retry.errno, retry.more_errno, retry.text = 111, 65, "Connection refused"
    retry.first_failed, retry.last_try, retry.next_try, retry.expired = 0.0, 86400.0, 90000.0, 1
    hints.table("retry", Retry).put(KEY, retry)
    hints.table("retry", Retry).put(f"{KEY}:{MESSAGE}", Retry())
    waiting = Waiting()
    waiting.message_ids = [MESSAGE]
    hints.table("wait-smtp", Waiting).put("mx.far.test", waiting)
    callout = Callout()
    callout.result = callout.random_result = "accept"
    callout.random_at = 60.0
    hints.table("callout", Callout).put("far.test", callout)
    hints.table("callout", Callout).put("a@far.test", callout)
    rate = Rate()
    rate.rate, rate.bloom = 2.5, b"\x01\x03"
    hints.table("ratelimit", Rate).put("1h/per_mail/192.0.2.1", rate)
    hints.table("seen", Stamp).put("192.0.2.1", Stamp())
    serialize = Serialize()
    serialize.count = 2
    hints.table("misc", Serialize).put("etrn-x", serialize)
    hints.close()
    return str(tmp_path)


DUMPS = [
    (
        "retry",
        f"  {KEY} 111 65 Connection refused\n01-Jan-1970 00:00:00  02-Jan-1970 00:00:00  02-Jan-1970 01:00:00 *\n",
    ),
    ("wait-smtp", f"mx.far.test {MESSAGE} \n"),
    ("callout", " a@far.test callout=accept\n"),
    ("callout", " far.test callout=accept postmaster=unknown random=accept (01-Jan-1970 00:01:00)\n"),
    ("ratelimit", " rate:      2.500 key: 1h/per_mail/192.0.2.1\n"),
    ("ratelimit", " filter size 2, bits set 3\n"),
    ("seen", "192.0.2.1\t"),
    ("misc", "etrn-x 2\n"),
]


@pytest.mark.parametrize(("name", "part"), DUMPS)
def test_dump(name: str, part: str, spool: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exim_dumpdb.main(["-z", spool, name]) == 0
    assert part in capsys.readouterr().out


def test_keys_only(spool: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exim_dumpdb.main(["-k", spool, "retry"]) == 0
    assert capsys.readouterr().out == f"  {KEY}\n  {KEY}:{MESSAGE}\n"


def test_a_database_that_is_not_there(tmp_path: Path, spool: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exim_dumpdb.main([f"{tmp_path}/nowhere", "retry"]) == 1
    assert exim_dumpdb.main([spool, "tls"]) == 1
    output = capsys.readouterr().out
    assert f"** Failed to open hintsdb {tmp_path}/nowhere/db/retry: No such file or directory" in output


@pytest.mark.parametrize("arguments", [[], ["x"], ["/spool", "unknown"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert exim_dumpdb.main(arguments) == 1
    assert exim_tidydb.main(arguments) == 1
    assert exim_fixdb.main(arguments) == 1
    assert "retry | misc | wait-<transport-name>" in capsys.readouterr().err


def test_what_concerns_no_message_is_tidied_away(spool: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exim_tidydb.main([spool, "retry"]) == 0
    assert f"deleted {KEY}:{MESSAGE} (no message)" in capsys.readouterr().out
    assert exim_tidydb.main([spool, "wait-smtp"]) == 0
    assert "deleted mx.far.test (empty)" in capsys.readouterr().out
    exim_dumpdb.main(["-k", spool, "retry"])
    assert capsys.readouterr().out == f"  {KEY}\n"


def test_what_is_old_is_tidied_away(spool: str, capsys: pytest.CaptureFixture[str]) -> None:
    hints = LmdbHints(f"{spool}/db")
    exim_tidydb.tidy(hints, "seen", time.time() + 10, frozenset())
    assert "deleted 192.0.2.1 (too old)" in capsys.readouterr().out
    assert list(hints.table("seen", Stamp).items()) == []
    hints.close()


def test_changing_and_deleting_by_dialogue(
    spool: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{KEY}\n0 7\n4 951102:1000\n4 x\nnothing\n{KEY}\nd\n"))
    assert exim_fixdb.main([spool, "retry"]) == 0
    output = capsys.readouterr().out
    assert "0 error number  7" in output
    assert "02-Nov-1995 10:00:00" in output
    assert "bad value" in output
    assert "record nothing not found" in output
    assert "deleted" in output
    exim_dumpdb.main(["-k", spool, "retry"])
    assert capsys.readouterr().out == f"  {KEY}:{MESSAGE}\n"

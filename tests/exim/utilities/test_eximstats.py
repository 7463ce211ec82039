"""eximstats: what it counts in a log. The expected lines are those of Exim's own program."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.exim.utilities import eximstats

LOG = """\
2026-11-24 22:28:20 exim 4.99 daemon started: pid=31803, no queue runs, listening for SMTP on [127.0.0.1]:45881
2026-11-24 22:28:20 1xVzvw-000000008Gz-0cgA <= sender@far.test H=localhost ([127.0.0.1]) [127.0.0.1] P=esmtp S=2100
2026-11-24 22:28:20 1xVzvw-000000008Gz-0cgA ** bob@mail.test : Unrouteable address
2026-11-24 22:28:20 1xVzvw-000000008Gz-0i6a <= <> R=1xVzvw-000000008Gz-0cgA U=mail P=local S=1502
2026-11-24 22:28:20 1xVzvw-000000008Gz-0cgA Completed
2026-11-24 23:28:20 1xVzvw-000000008Gz-0i6a == sender@far.test R=remote T=smtp defer (111): Connection refused
2026-11-24 23:29:20 1xVzvw-000000008Gz-0i6a => sender@far.test R=remote T=smtp H=mx.far.test [192.0.2.1] C="250 OK"
2026-11-24 23:29:20 1xVzvw-000000008Gz-0i6a Completed
2026-11-24 23:29:30 1xVzvy-000000008Gz-0i6a <= alice@mail.test U=alice P=local S=15020
2026-11-24 23:29:31 1xVzvy-000000008Gz-0i6a => bob <bob@mail.test> R=local T=maildir
2026-11-24 23:29:31 1xVzvy-000000008Gz-0i6a -> carol@far.test R=remote T=smtp H=mx.far.test [192.0.2.1] C="250 OK"
2026-11-24 23:29:31 1xVzvy-000000008Gz-0i6a Completed
2026-11-24 23:39:30 1xVzvz-000000008Gz-0i6a <= x@else.test H=mx.else.test [192.0.2.7] P=esmtps S=150200
2026-11-24 23:39:32 1xVzvz-000000008Gz-0i6a => y@far.test R=remote T=smtp H=mx.far.test [192.0.2.1] C="250 OK"
2026-11-24 23:39:33 1xVzvz-000000008Gz-0i6a Completed
2026-11-24 23:41:33 H=mx.bad.test [192.0.2.99] F=<x@y> rejected RCPT <a@mail.test>: Administrative prohibition
"""

SUMMARY = """
Exim statistics from 2026-11-24 22:28:20 to 2026-11-24 23:41:33

Grand total summary
-------------------
                                                                  At least one address
  TOTAL               Volume   Messages Addresses     Hosts      Delayed       Failed
  Received             165KB          4                   3       1 25.0%      1 25.0%
  Delivered            163KB          3         4         2
  Rejects                             1                   1

"""

PARTS = [
    "  maildir               15KB           1\n  smtp                 148KB           2\n",
    "22-23      2 ..\n23-24      2 ..\n",
    "Deliveries per hour (each dot is 1 delivery)",
    "23-24      3 ...\n",
    "Under   1m        3  75.0%   75.0%\n        3h        1  25.0%  100.0%\n",
    "Under   1m        1  50.0%   50.0%\n        3h        1  50.0%  100.0%\n",
    "      1 mx.else.test[192.0.2.7] x@else.test \n      => mx.far.test[192.0.2.1] y@far.test\n",
    "         1   Rejected RCPT: Administrative prohibition\n",
    "         1      147KB      147KB   mx.else.test\n",
    "         1       15KB       15KB   alice\n         1       1502       1502   mail\n",
    "         2          3      148KB       74KB   mx.far.test\n",
    "         1          1       15KB       15KB   bob\n",
    "         1   [192.0.2.99]\n",
    "    1 bob@mail.test : Unrouteable address\n\n",
    "Errors encountered: 1\n",
]


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "mainlog"
    path.write_text(LOG)
    return str(path)


def test_the_summary_alone(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert eximstats.main(["-ne", "-nr", "-nt", "-tnl", "-q0", "-h0", "-t0", log]) == 0
    assert capsys.readouterr().out == SUMMARY


def test_everything(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert eximstats.main([log]) == 0
    output = capsys.readouterr().out
    assert [part for part in PARTS if part not in output] == []


VARIANTS = [
    (["-nvr"], "168822", ""),
    (["-tnl"], "mx.far.test", "   local\n"),
    (["-nr/else/"], "Total: 0 (plus 1 unshown)", "y@far.test"),
    (["-nt/mail/"], "  smtp ", "  maildir"),
    (["-h2"], "23:30 ", "23-24"),
    (["-t1"], "Top 1 sending hosts", "         1       2100       2100   localhost"),
    (["-q5,10"], "Under   5s        3  75.0%   75.0%", ""),
]


@pytest.mark.parametrize(("options", "present", "absent"), VARIANTS)
def test_variant(options: list[str], present: str, absent: str, log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert eximstats.main([*options, log]) == 0
    output = capsys.readouterr().out
    assert present in output
    assert not absent or absent not in output


@pytest.mark.parametrize("option", ["-html", "-h7", "-nr/(/", "-xyz"])
def test_what_cannot_be_understood(option: str) -> None:
    assert eximstats.main([option]) == 1


def test_an_empty_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").touch()
    assert eximstats.main([str(tmp_path / "empty")]) == 0
    assert "0  0.0%" in capsys.readouterr().out


def test_long_errors_and_no_relays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    error = "H=127.0.0.1 [127.0.0.1]: SMTP error from remote mail server after RCPT TO:<r550@x.ex>: 550 5.1.1 no"
    log.write_text(
        "2026-11-24 23:29:30 1xVzvy-000000008Gz-0i6a <= alice@mail.test U=alice P=local S=15020\n"
        f"2026-11-24 23:29:31 1xVzvy-000000008Gz-0i6a ** r550@x.ex R=r1 T=smtp {error}\n"
        "2026-11-24 23:29:31 1xVzvy-000000008Gz-0i6a => bob <bob@mail.test> R=local T=maildir\n"
        "2026-11-24 23:29:31 1xVzvy-000000008Gz-0i6a Completed\n"
    )
    assert eximstats.main([str(log)]) == 0
    text = capsys.readouterr().out
    assert (
        "    1 r550@x.ex R=r1 T=smtp H=127.0.0.1 [127.0.0.1]: SMTP\n\t    error from remote mail server after" in text
    )
    assert "No relayed messages\n-------------------\n" in text
    assert "Under   1m        1 100.0%  100.0%\n" in text

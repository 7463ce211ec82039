"""Writing logs: files, syslog, both; what happens when that is impossible."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from eximious import waiting
from eximious.logs.destination import Destinations, parse
from eximious.logs.file import LOOK_AGAIN
from eximious.logs.log import LONGEST, MAIN, PANIC, REJECT, Logs
from eximious.logs.selector import DEFAULT
from eximious.logs.syslog import Syslog

NOW = 1795559750.7941
STAMP = r"2026-11-2[45] [0-9:]{8}"
ID = "1xVz78-00000000006-3KbK"


class Case:
    """Logs in a directory."""

    def __init__(self, directory: Path, selected: frozenset[str] = DEFAULT, path: str = "%slog") -> None:
        self.directory = directory
        self.stderr: list[str] = []
        self.seconds = 0.0
        self.logs = Logs(parse(f"{directory}/{path}", ""), selected, now=lambda: NOW, clock=lambda: self.seconds)
        self.logs.to_stderr = self.stderr.append
        self.logs.syslog = Syslog(path=str(directory / "no-syslog"))

    def read(self, name: str) -> str:
        """A log, with its times as T."""
        path = self.directory / name
        return re.sub(f"^{STAMP}", "T", path.read_text("latin-1"), flags=re.M) if path.exists() else ""


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path / "log")
    yield made
    made.logs.close()


def test_main(case: Case) -> None:
    case.logs.main("SMTP connection closed")
    case.logs.main("<= a@b \xfc", ID)
    assert case.read("mainlog") == f"T SMTP connection closed\nT {ID} <= a@b \xfc\n"
    assert (case.directory / "mainlog").stat().st_mode & 0o777 == 0o640
    assert case.directory.stat().st_mode & 0o777 == 0o750
    assert case.stderr == []


def test_reject(case: Case) -> None:
    case.logs.reject("rejected", ID, "Envelope-from: <a@b>\nP Received: x\n\ty\n")
    assert case.read("mainlog") == f"T {ID} rejected\n"
    assert case.read("rejectlog") == f"T {ID} rejected\nEnvelope-from: <a@b>\nP Received: x\n\ty\n"
    case.logs.write_rejectlog = False
    case.logs.reject("again")
    assert case.read("mainlog").endswith("T again\n")
    assert "again" not in case.read("rejectlog")


def test_panic(case: Case) -> None:
    case.logs.panic("Exim configuration error in line 2 of x:\n  main option unknown")
    for name in ("mainlog", "paniclog"):
        assert case.read(name) == "T Exim configuration error in line 2 of x:\n  main option unknown\n"
    assert [re.sub(STAMP, "T", line) for line in case.stderr] == [case.read("paniclog")]
    case.logs.to_stderr = None
    case.logs.panic("quietly")
    assert len(case.stderr) == 1


def test_any_logs(case: Case) -> None:
    case.logs.write((PANIC, REJECT), "to two")
    assert (case.read("mainlog"), case.read("rejectlog"), case.read("paniclog")) == ("", "T to two\n", "T to two\n")


def test_pid_and_milliseconds(tmp_path: Path) -> None:
    case = Case(tmp_path, frozenset({"pid", "millisec"}))
    case.logs.main("x", ID)
    assert case.read("mainlog") == f"T.794 [{os.getpid()}] {ID} x\n"


def test_one_entry_cannot_become_two(case: Case) -> None:
    case.logs.main("rejected <a\n2026-11-24 22:35:50 forged\r\n x>")
    assert case.read("mainlog") == "T rejected <a\\n2026-11-24 22:35:50 forged\\r\n x>\n"


def test_cve_2010_4344_long_entries_are_cut(case: Case) -> None:
    case.logs.reject("x" * 50_000_000, ID, "F From: y\n" * 5_000_000)
    assert case.read("mainlog") == f"T {ID} {'x' * LONGEST}\n"
    assert case.read("rejectlog") == f"T {ID} {'x' * LONGEST}\n*** truncated ***\n"


def test_headers_that_are_too_long_for_an_entry(case: Case) -> None:
    case.logs.reject("rejected", "", "P Received: x\n" + "T To: y,\n" + "  <z@example>,\n" * 1000)
    text = (case.directory / "rejectlog").read_text()
    assert text.startswith("2026-11-24 ")
    assert text.endswith("\n  <z@example>,\n*** truncated ***\n")
    assert LONGEST - 100 - 15 < len(text) - 18 <= LONGEST - 100


def test_a_file_that_was_moved_is_begun_anew(case: Case) -> None:
    case.logs.main("one")
    (case.directory / "mainlog").rename(case.directory / "mainlog.01")
    case.logs.main("still one")
    case.seconds += LOOK_AGAIN
    case.logs.main("two")
    (case.directory / "mainlog").rename(case.directory / "mainlog.02")
    (case.directory / "mainlog").touch()
    case.seconds += LOOK_AGAIN
    case.logs.main("three")
    assert (case.read("mainlog.01"), case.read("mainlog.02"), case.read("mainlog")) == (
        "T one\nT still one\n",
        "T two\n",
        "T three\n",
    )


def test_datestamps(tmp_path: Path) -> None:
    now = [NOW]
    logs = Logs(parse(f"{tmp_path}/%slog-%D", ""), now=lambda: now[0])
    logs.to_stderr = None
    logs.main("one")
    now[0] += 2 * 86400
    logs.main("two")
    logs.panic("three")
    logs.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 3
    assert names[2] == "paniclog"
    assert all(re.fullmatch(r"mainlog-202611\d\d", name) for name in names[:2])


def test_in_the_daemon_lines_are_out_by_the_end_of_the_turn(case: Case) -> None:
    async def main() -> None:
        def work() -> None:
            case.logs.main("one")
            case.logs.main("two")
            assert case.read("mainlog") == ""
            waiting.sleep(0)
            assert case.read("mainlog") == "T one\nT two\n"
            case.logs.main("three")
            case.logs.close()
            assert case.read("mainlog") == "T one\nT two\nT three\n"
            case.logs.main("four")

        await waiting.run(work)
        case.logs.main("five")  # outside a greenlet: at once, and in order

    asyncio.run(main())
    assert case.read("mainlog") == "T one\nT two\nT three\nT four\nT five\n"


def test_much_at_once_does_not_wait(case: Case) -> None:
    async def main() -> None:
        def work() -> None:
            for _ in range(100):
                case.logs.main("x" * 2000)
            assert case.read("mainlog") != ""

        await waiting.run(work)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert len(case.read("mainlog")) == 100 * 2003


def test_failures_are_told_to_whoever_is_left(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.directory.mkdir()
    (case.directory / "mainlog").mkdir()
    case.logs.main("lost")
    why = (
        f'Cannot open main log file "{case.directory}/mainlog": Is a directory: euid={os.geteuid()} egid={os.getegid()}'
    )
    assert case.read("paniclog") == f"T {why}\nT lost\n"
    assert re.sub(STAMP, "T", case.stderr[0]) == f"T {why}\nT lost\n"
    assert len(case.stderr) == 1


def test_nothing_can_be_written(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    daemon.bind(str(tmp_path / "syslog"))
    case.logs.syslog = Syslog(path=str(tmp_path / "syslog"))
    monkeypatch.setattr(os, "write", no_space)
    case.logs.main("lost")
    monkeypatch.undo()
    first = daemon.recv(5000).decode()
    assert first.startswith("<18>")
    assert "Cannot open panic log file" in first
    daemon.close()
    assert any("lost" in line for line in case.stderr)


def no_space(*args: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_syslog_only(tmp_path: Path) -> None:
    daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    daemon.bind(str(tmp_path / "syslog"))
    daemon.settimeout(5)
    logs = Logs(Destinations(None, True), frozenset({"pid"}), now=lambda: NOW)
    logs.syslog = Syslog(path=str(tmp_path / "syslog"))
    logs.to_stderr = None

    def next_entry() -> str:
        return re.sub(STAMP, "T", re.sub(r"(<\d+>)\w+ +\d+ [\d:]+ ", r"\1", daemon.recv(5000).decode()))

    pid = os.getpid()
    logs.main("one", ID)
    assert next_entry() == f"<22>exim[{pid}]: T [{pid}] {ID} one"
    logs.syslog_timestamp = False
    logs.main("two")
    assert next_entry() == f"<22>exim[{pid}]: [{pid}] two"
    logs.syslog_pid = False
    logs.reject("three", "", "F From: x\n")
    assert next_entry() == f"<22>exim[{pid}]: three"
    assert next_entry() == f"<21>exim[{pid}]: [1\\2] three"
    assert next_entry() == f"<21>exim[{pid}]: [2/2] F From: x"
    logs.syslog_duplication = False
    logs.reject("four", "", "F From: x\n")
    assert next_entry() == f"<21>exim[{pid}]: [1\\2] four"
    next_entry()
    logs.panic("five")
    assert next_entry() == f"<17>exim[{pid}]: five"
    logs.close()
    daemon.close()
    assert [path.name for path in tmp_path.iterdir()] == ["syslog"]


def test_what_is_shown_with_v(case: Case) -> None:
    shown: list[str] = []
    case.logs.verbose = shown.append
    case.logs.main("<= a@b", ID)
    case.logs.reject("rejected")
    case.logs.panic("one\n two")
    assert shown == [
        "LOG: MAIN\n  <= a@b\n",
        "LOG: MAIN REJECT\n  rejected\n",
        "LOG: MAIN PANIC\n  one\n   two\n",
    ]


def test_root_follows_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2020-28007: the log directory belongs to a less privileged user."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda *args: None)
    monkeypatch.setattr(os, "chown", lambda *args, **kwargs: None)
    victim = tmp_path / "victim"
    victim.write_text("secret\n")
    for link in (os.symlink, os.link):
        case = Case(tmp_path / link.__name__)
        case.directory.mkdir()
        link(victim, case.directory / "mainlog")
        case.logs.main("evil")
        assert victim.read_text() == "secret\n"
        assert "Cannot open main log file" in case.read("paniclog")
        case.logs.close()
    case = Case(tmp_path / "fifo")
    case.directory.mkdir()
    os.mkfifo(case.directory / "mainlog")
    case.logs.main("evil")
    assert "evil" in case.read("paniclog")


def test_owner_of_what_root_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owners: list[tuple[object, ...]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        os, "fchown", lambda fd, uid, gid: owners.append((os.readlink(f"/proc/self/fd/{fd}"), uid, gid))
    )
    logs = Logs(parse(f"{tmp_path}/log/%slog", ""), uid=12, gid=34)
    logs.main("x")
    assert owners == [(f"{tmp_path}/log", 12, 34), (f"{tmp_path}/log/mainlog", 12, 34)]


def test_logs_that_two_processes_write(tmp_path: Path) -> None:
    child = os.fork()
    case = Case(tmp_path)
    for number in range(300):
        case.logs.main(f"{'c' if child == 0 else 'p'}{number} " + "x" * 500)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    lines = case.read("mainlog").splitlines()
    assert len(lines) == 600
    assert all(re.fullmatch(r"T [cp]\d+ x{500}", line) for line in lines)


def test_a_second_path_is_complained_about_once(tmp_path: Path) -> None:
    logs = Logs(parse(f"{tmp_path}/%s1 : {tmp_path}/%s2", ""), now=lambda: NOW)
    logs.to_stderr = None
    logs.main("one")
    logs.main("two")
    logs.close()
    complaint = f"More than one path given in log_file_path: using {tmp_path}/%s1"
    lines = [line[20:] for line in (tmp_path / "main1").read_text().splitlines()]
    assert lines == [complaint, "one", "two"]
    assert (tmp_path / "panic1").read_text()[20:] == f"{complaint}\n"


def test_main_is_a_name() -> None:
    assert (MAIN, REJECT, PANIC) == ("main", "reject", "panic")

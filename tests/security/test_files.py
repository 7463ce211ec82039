"""Files where others may write: links are not followed, names are checked, and nothing is opened that makes us wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from eximious import ownership
from eximious.daemon import pid_file
from eximious.hints.lmdb_hints import LmdbHints
from eximious.hints.record import Callout
from eximious.logs.destination import Destinations
from eximious.logs.log import Logs
from eximious.spool.errors import SpoolError
from eximious.spool.layout import Layout
from eximious.spool.store import QueueStore
from eximious.transports.jobs import append
from tests.deliver.place import Place
from tests.end_to_end.server import EXIM, Server
from tests.transports.jobs.options import job

SECRET = "precious\n"
ROUTERS = "r:\n  driver = redirect\n  data = :blackhole:\n"


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A process that believes to have root's rights; gives the paths that it has given away."""
    given: list[str] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda fd, *_: given.append(os.readlink(f"/proc/self/fd/{fd}")))
    monkeypatch.setattr(os, "chown", lambda path, *_, **__: given.append(os.path.realpath(path)))
    return given


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file elsewhere, which nothing may change or tell of."""
    path = tmp_path / "target"
    path.write_text(SECRET)
    return path


def symbolic(path: Path, target: Path) -> None:
    path.symlink_to(target)


def hard(path: Path, target: Path) -> None:
    path.hardlink_to(target)


def dangling(path: Path, target: Path) -> None:
    path.symlink_to(target.with_name("created"))


def fifo(path: Path, target: Path) -> None:
    os.mkfifo(path)


def folder(path: Path, target: Path) -> None:
    path.mkdir()


TRICKS = [symbolic, hard, dangling, fifo, folder]
Trick = Callable[[Path, Path], None]


def play(trick: Trick, path: Path, target: Path) -> None:
    """Put something else in a file's place."""
    path.unlink(missing_ok=True)
    trick(path, target)


# --- logs -------------------------------------------------------------------------------------------------------------


def test_cve_2020_28007(tmp_path: Path) -> None:
    """A link in place of a log does not lead out of the log's folder."""
    target = tmp_path / "target"
    (tmp_path / "mainlog").symlink_to(target)
    logs = Logs(Destinations(f"{tmp_path}/%slog", False))
    logs.to_stderr = None
    logs.main("text")
    logs.close()
    assert not target.exists()


@pytest.mark.parametrize("trick", TRICKS)
def test_cve_2020_8015(trick: Trick, as_root: list[str], tmp_path: Path, target: Path) -> None:
    """Who owns the folder of the logs gains nothing by links in it: neither content nor ownership of other files."""
    logs = Logs(Destinations(f"{tmp_path}/log/%slog", False), uid=12, gid=34)
    logs.to_stderr = None
    (tmp_path / "log").mkdir()
    for name in ("mainlog", "rejectlog"):
        play(trick, tmp_path / "log" / name, target)
    logs.main("evil")
    logs.reject("evil")
    logs.close()
    assert target.read_text() == SECRET
    assert not target.with_name("created").exists()
    assert str(target) not in as_root
    assert "Cannot open main log file" in (tmp_path / "log" / "paniclog").read_text()


# --- the file with the process id -------------------------------------------------------------------------------------


def test_cve_2020_28014(tmp_path: Path, target: Path) -> None:
    """The file with the process id follows no links, and only our own is removed."""
    link = tmp_path / "pid"
    link.symlink_to(target)
    pid_file.write(str(link))
    assert target.read_text() == SECRET
    assert not link.is_symlink()
    link.unlink()
    link.symlink_to(target)
    pid_file.remove(str(link))
    assert target.read_text() == SECRET
    other = tmp_path / "other"
    other.write_text("1\n")
    pid_file.remove(str(other))
    assert other.exists()


def test_cve_2021_27216(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder changes between the look and the removal: what is removed is what was looked at."""
    ours, theirs, link = tmp_path / "ours", tmp_path / "theirs", tmp_path / "folder"
    ours.mkdir()
    theirs.mkdir()
    (ours / "pid").write_text(f"{os.getpid()}\n")
    (theirs / "pid").write_text(SECRET)
    link.symlink_to(ours)
    getpid = os.getpid

    def swap() -> int:
        link.unlink()
        link.symlink_to(theirs)
        return getpid()

    monkeypatch.setattr(os, "getpid", swap)
    pid_file.remove(str(link / "pid"))
    assert (theirs / "pid").read_text() == SECRET
    assert not (ours / "pid").exists()


def test_cve_2021_27216_who_may_ask(tmp_path: Path) -> None:
    """``-oPX`` removes the file of the process that asks, and of no other."""
    import subprocess

    place = Server("")
    try:
        path = place.folder / "pid"
        for content, remains in (("1", True), (str(os.getpid()), False), ("nonsense", True)):
            path.write_text(f"{content}\n")
            subprocess.run([EXIM, "-C", str(place.config), "-oP", str(path), "-oPX"], check=True, timeout=60)
            assert path.exists() is remains
    finally:
        place.close()


# --- mailboxes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trick", TRICKS)
def test_cve_2010_2023(trick: Trick, tmp_path: Path, target: Path) -> None:
    """In a sticky directory anybody can put a link to a user's other file in the mailbox's place."""
    target.chmod(0o600)
    play(trick, tmp_path / "box", target)
    ended = append.perform(job("append", tmp_path / "box"))
    assert ended.status == "deferred"
    assert target.read_text() == SECRET
    assert not target.with_name("created").exists()


# --- the spool --------------------------------------------------------------------------------------------------------

NAMES = [
    "../../../etc/passwd",
    "",
    ".",
    "x\n",
    "1rYxXx-000000001xy-0abc\n",
    "1rYxXx-000000001xy-0abc/",
    "-" * 23,
    "\0" * 23,
]


@pytest.mark.parametrize("name", NAMES)
def test_cve_2020_28008_names(name: str, tmp_path: Path) -> None:
    """No path is made of what is no message id, or no name of a queue."""
    store = QueueStore(Layout(str(tmp_path)))
    assert store.claim(name) is None
    assert store.read(name) is None
    for queue in ("../x", "/etc", "..", "a\0b"):
        with pytest.raises(SpoolError):
            store.list_ids(queue)
    (tmp_path / "input").mkdir()
    for odd in ("x-H", "-H", "..-H", "1rYxXx-000000001xy-0abc\n-H", "1rYxXx-000000001xy-0abc-H-H"):
        (tmp_path / "input" / odd).write_text(SECRET)
    assert store.list_ids() == []


@pytest.mark.parametrize("suffix", ["-H", "-D", "-J"])
@pytest.mark.parametrize("trick", TRICKS)
def test_cve_2020_28008(trick: Trick, suffix: str, as_root: list[str], tmp_path: Path, target: Path) -> None:
    """Something else in place of a spool file: no delivery, no waiting, and nothing elsewhere changes."""
    place = Place(tmp_path, routers=ROUTERS, transports="")
    message_id = place.queue("a@x.example")
    target.write_text(f"{message_id}-D\n{SECRET}")
    play(trick, tmp_path / "spool" / "input" / f"{message_id}{suffix}", target)
    place.deliver(message_id)
    place.close()
    assert target.read_text() == f"{message_id}-D\n{SECRET}"
    assert not target.with_name("created").exists()
    assert str(target) not in as_root
    assert not any("blackhole" in line for line in place.log), place.log


@pytest.mark.parametrize("trick", TRICKS)
def test_cve_2020_28008_message_log(trick: Trick, as_root: list[str], tmp_path: Path, target: Path) -> None:
    """The same for the log of a message, whether lines are added or it is shown."""
    place = Place(tmp_path, routers="r:\n  driver = redirect\n  data = :defer: later\n  allow_defer\n", transports="")
    message_id = place.queue("a@x.example")
    path = tmp_path / "spool" / "msglog" / message_id
    path.parent.mkdir(exist_ok=True)
    play(trick, path, target)
    with pytest.raises(SpoolError):
        place.services.spool.logs.read(message_id, "")
    place.deliver(message_id)
    place.close()
    assert target.read_text() == SECRET
    assert not target.with_name("created").exists()
    assert str(target) not in as_root


def test_cve_2020_28008_folders(as_root: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new folder is replaced by a link before it gets its owner: the link's target does not get it."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(0o700)
    mkdir = os.mkdir

    def swap(name: str, mode: int, *, dir_fd: int) -> None:
        mkdir(name, mode, dir_fd=dir_fd)
        os.rmdir(name, dir_fd=dir_fd)
        os.symlink(elsewhere, name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", swap)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        ownership.make_folder(str(tmp_path / "input"), 0o750, 12, 34)
    assert as_root == []
    assert elsewhere.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("trick", TRICKS)
def test_cve_2020_28008_hints(trick: Trick, as_root: list[str], tmp_path: Path, target: Path) -> None:
    """The same for the hints."""
    before = LmdbHints(str(tmp_path / "db"))
    before.callout.put("a", Callout())
    before.close()
    octets = (tmp_path / "db" / "callout.lmdb").read_bytes()
    target.write_bytes(octets)  # a database, which it would be easy to add to
    play(trick, tmp_path / "db" / "callout.lmdb", target)
    reports: list[str] = []
    hints = LmdbHints(str(tmp_path / "db"), uid=12, gid=34, report=reports.append)
    hints.callout.put("b", Callout())
    assert hints.callout.get("a") is None
    hints.close()
    assert reports
    assert target.read_bytes() == octets
    assert not target.with_name("created").exists()
    assert str(target) not in as_root

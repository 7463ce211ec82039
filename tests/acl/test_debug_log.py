"""``control = debug``: a log of its own, at once or when something happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.logs.destination import Destinations
from eximious.logs.log import Logs
from tests.receive.place import Server

CONFIGURATION = """
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
begin acl
mail:
  accept control = debug{mail}
rcpt:
  accept control = debug{rcpt}
         logwrite = here
"""
TALK = (b"EHLO x\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<a@test.ex>\r\n", b"RSET\r\n", b"MAIL FROM:<>\r\n", b"QUIT\r\n")


def files(folder: Path, mail: str, rcpt: str, *, panic: bool = False) -> dict[str, str]:
    """The debugging logs that are there after a session."""
    server = Server(folder, CONFIGURATION.format(mail=mail, rcpt=rcpt))
    logs = Logs(Destinations(f"{folder}/%slog", False))
    logs.to_stderr = None
    server.services.__dict__["logs"] = logs
    if panic:
        server.talk(*TALK[:3])
        logs.panic("something")
    session = server.session(*TALK)
    session.run()
    assert not logs.panic_watchers
    return {path.name: path.read_text("latin-1") for path in folder.glob("debuglog*")}


def test_at_once(tmp_path: Path) -> None:
    found = files(tmp_path, "/tag=.x/opts=-all+acl", "/stop")
    assert list(found) == ["debuglog.x"]
    lines = found["debuglog.x"].split("\n")
    assert lines[0] == "accept: condition test succeeded in ACL mail"
    assert 'using ACL "rcpt"' in lines
    assert "debug terminated by stop" in lines


def test_kill(tmp_path: Path) -> None:
    """The file is gone; the second message begins a new one."""
    found = files(tmp_path, "/tag=.x/opts=-all+acl", "/kill")
    assert 'using ACL "rcpt"' not in found["debuglog.x"]


@pytest.mark.parametrize("size", [0, 1, 10, 100, 2000, 10**12])
def test_cve_2025_30232_pretrigger(size: int, tmp_path: Path) -> None:
    """What waits is written once, whole lines of it, whatever the size and the order of triggers."""
    found = files(tmp_path, f"/opts=-all+acl/pretrigger={size}", "/trigger=now")
    text = found.get("debuglog", "")
    assert text.count("check control = debug/trigger=now") == (1 if size in (0, 100, 2000, 10**12) else 0)
    assert all(line == "" or not line.startswith("succeeded") for line in text.split("\n"))
    for _ in range(3):
        files(tmp_path, f"/opts=+all/pretrigger={size}/trigger=paniclog", "/stop")
        files(tmp_path, "/trigger=now", "/kill")


def test_without_a_trigger_nothing_is_written(tmp_path: Path) -> None:
    assert files(tmp_path, "/opts=+all/pretrigger=100000/trigger=paniclog", "/trigger=paniclog/pretrigger=10") == {}


@pytest.mark.parametrize("options", ["/nonsense", "/opts=nonsense", "/trigger=never", "/pretrigger=x"])
def test_faults(options: str, tmp_path: Path) -> None:
    server = Server(tmp_path, CONFIGURATION.format(mail=options, rcpt=""))
    assert "\r\n451 Temporary local problem" in server.talk(*TALK)


def test_tags_stay_in_the_directory(tmp_path: Path) -> None:
    """A tag cannot lead elsewhere: a slash ends it, and what follows is no option."""
    server = Server(tmp_path, CONFIGURATION.format(mail="/tag=/../../x", rcpt=""))
    assert "\r\n451 Temporary local problem" in server.talk(*TALK)

"""Files of their own in a directory: maildir, mailstore, plain; and quotas."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from eximious.transports.jobs import new_file
from eximious.transports.jobs.create import may_create
from eximious.transports.outcome import QUOTA
from tests.transports.jobs.options import job


def deliver(path: Path, **options: Any) -> Any:
    return new_file.perform(job("new_file", path, **({"format": "maildir"} | options)))


def test_maildir(tmp_path: Path) -> None:
    box = tmp_path / "Maildir"
    ended = deliver(box, tag=",S=8")
    file = Path(ended.values["file"])
    assert file.parent == box / "new"
    assert re.fullmatch(r"\d+\.H\d+P\d+\.mx\.example,S=8", file.name)
    assert file.read_bytes() == b"message\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(entry.name for entry in box.iterdir()) == ["cur", "new", "tmp"]
    assert not list((box / "tmp").iterdir())


def test_a_tag_that_is_too_long_is_dropped(tmp_path: Path) -> None:
    assert not deliver(tmp_path, tag=":" + "x" * 300).values["file"].endswith("x")


def test_maildirfolder(tmp_path: Path) -> None:
    deliver(tmp_path / ".lists", make_maildirfolder=True)
    assert (tmp_path / ".lists" / "maildirfolder").read_bytes() == b""


def test_mailstore(tmp_path: Path) -> None:
    ended = deliver(tmp_path, format="mailstore", base_name="id-1", envelope="a@b\nc@d\n")
    assert ended.status == "delivered"
    assert (tmp_path / "id-1.env").read_text() == "a@b\nc@d\n"
    assert (tmp_path / "id-1.msg").read_text() == "message\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_plain_in_two_steps(tmp_path: Path) -> None:
    ended = deliver(tmp_path, format="plain", file_name="")
    temporary = ended.values["file"]
    assert Path(temporary).stat().st_ino == ended.values["inode"]
    ended = deliver(tmp_path, format="rename", temporary=temporary, file_name="q1")
    assert [entry.name for entry in tmp_path.iterdir()] == ["q1"]


def test_a_plain_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "q1").write_text("old")
    ended = deliver(tmp_path, format="plain", file_name="q1")
    assert re.fullmatch(rf"while renaming {tmp_path}/temp\.\S+ as {tmp_path}/q1", ended.message)
    assert (tmp_path / "q1").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


QUOTAS = [
    ({"quota": 17}, ["delivered", "deferred"]),  # 8 in the mailbox, and 10 that come
    ({"quota": 18}, ["delivered", "delivered", "deferred"]),
    ({"quota": 17, "quota_is_inclusive": False}, ["delivered", "delivered", "delivered", "deferred"]),
    ({"quota": 17, "quota_no_check": True}, ["delivered", "delivered", "delivered"]),
    ({"quota": 1000, "quota_filecount": 2}, ["delivered", "delivered", "deferred"]),
    ({"quota": 1000, "quota_size_regex": r",S=(\d+)", "tag": ",S=990"}, ["delivered", "delivered", "deferred"]),
    ({"quota": 100, "mailbox_size": 95}, ["deferred"]),
]


@pytest.mark.parametrize(("options", "expected"), QUOTAS)
@pytest.mark.parametrize("size_file", [False, True])
def test_quota(tmp_path: Path, options: dict[str, Any], expected: list[str], size_file: bool) -> None:
    if size_file and "tag" in options:
        pytest.skip("maildirsize counts what was written")
    ended = [deliver(tmp_path, maildir_use_size_file=size_file, **options) for _ in expected]
    assert [end.status for end in ended] == expected
    if ended[-1].status == "deferred":
        assert ended[-1].errno == QUOTA


def test_maildirsize(tmp_path: Path) -> None:
    deliver(tmp_path, maildir_use_size_file=True, quota=1000, quota_filecount=5)
    deliver(tmp_path, maildir_use_size_file=True, quota=1000, quota_filecount=5)
    assert (tmp_path / "maildirsize").read_text() == "1000S,5C\n0 0\n8 1\n8 1\n"
    deliver(tmp_path, maildir_use_size_file=True, quota=2000)
    assert (tmp_path / "maildirsize").read_text() == "2000S,0C\n16 2\n8 1\n"


@pytest.mark.parametrize(
    "text", ["", "rubbish", "1000S\n1 2 3\nx\n", "1000S,0C\n-5 1\n", "1000S,0C\n" + "1 1\n" * 2000]
)
def test_a_maildirsize_file_that_cannot_be_used_is_made_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "maildirsize").write_text(text)
    assert deliver(tmp_path, maildir_use_size_file=True, quota=1000).status == "delivered"
    assert (tmp_path / "maildirsize").read_text() == "1000S,0C\n0 0\n8 1\n"


PLACES = [
    ("/home/u/box", "anywhere", "", True),
    ("/home/u/box", "inhome", "/home/u", True),
    ("/home/u2/box", "inhome", "/home/u", False),
    ("/home/u/../v/box", "inhome", "/home/u", True),
    ("/home/u/../v/box", "belowhome", "/home/u", False),
    ("/usr/share/a/box", "/usr/share", "/elsewhere", True),
    ("/home/v/box", "/home/u", "/home/v", False),
    ("/home/u/box", "belowhome", "", False),
]


@pytest.mark.parametrize(("path", "where", "home", "permitted"), PLACES)
def test_where_files_may_be_created(path: str, where: str, home: str, permitted: bool) -> None:
    assert may_create(path, where, home) is permitted


def test_a_link_does_not_lead_out_of_the_home_directory(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "link").symlink_to(tmp_path)
    assert not may_create(f"{home}/link/new", "belowhome", str(home))
    assert may_create(f"{home}/new", "belowhome", str(home))


def test_looking_for_room_delivers_nothing(tmp_path: Path) -> None:
    deliver(tmp_path, quota=20)
    assert deliver(tmp_path, quota=20, only_looks=True).status == "delivered"
    assert deliver(tmp_path, quota=17, only_looks=True).errno == QUOTA
    assert len(list((tmp_path / "new").iterdir())) == 1

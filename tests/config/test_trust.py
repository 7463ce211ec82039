"""What may be done with root's rights when -C and -D are used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eximious.config import paths
from eximious.config.trust import Trust, check_included, parse_trust, read_trust
from eximious.errors import ConfigError

from .files import complaint, write

ROOT, MAIL, OWNER, OTHER = 0, 8, 500, 1000
TRUST = Trust(["/a/b"], [OWNER], ["GOOD"])
ANY_MACRO = Trust(["/a/"], [OWNER], ["*"])
USUAL = paths.CONFIGURATIONS[0]

DECISIONS = [
    (TRUST, ROOT, ["/x"], {"BAD": "x"}, True),
    (TRUST, OTHER, [], {}, True),
    (TRUST, OTHER, [USUAL], {}, True),
    (TRUST, OTHER, ["/a/b/c"], {}, False),
    (TRUST, OTHER, [], {"GOOD": "x"}, False),
    (TRUST, OWNER, ["/a/b/c"], {}, True),
    (TRUST, MAIL, ["/a/b/c", USUAL, "/a/b"], {}, True),
    (TRUST, OWNER, ["/a/bc"], {}, False),
    (TRUST, OWNER, ["/a/b/../../x"], {}, False),
    (TRUST, OWNER, ["a/b/c"], {}, False),
    (TRUST, OWNER, ["/a/b/c", "/x"], {}, False),
    (TRUST, OWNER, [], {"GOOD": "a/B_9.-"}, True),
    (TRUST, OWNER, [], {"GOOD": ""}, True),
    (TRUST, OWNER, [], {"GOOD": "$x"}, False),
    (TRUST, OWNER, [], {"GOOD": "x", "BAD": "x"}, False),
    (ANY_MACRO, OWNER, ["/a/b"], {"BAD": "$x"}, True),
    (ANY_MACRO, OTHER, ["/a/b"], {"BAD": "x"}, False),
    (Trust(), MAIL, ["/x"], {}, False),
]


@pytest.mark.parametrize(("trust", "caller", "files", "macros", "expected"), DECISIONS)
def test_decision(trust: Trust, caller: int, files: list[str], macros: dict[str, str], expected: bool) -> None:
    assert trust.keeps_root(caller, MAIL, files, macros) is expected


def test_a_link_out_of_the_prefix(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").touch()
    (tmp_path / "in/link").symlink_to(tmp_path / "out")
    trust = Trust([str(tmp_path / "in")])
    assert trust.is_trusted_file(str(tmp_path / "in/file"))
    assert not trust.is_trusted_file(str(tmp_path / "in/link"))


def test_lines() -> None:
    trust = parse_trust(
        "# comment\n\nconfig /a/b\n config  /c \nowner root\nowner 500\nowner nosuchuser\nmacro A\nmacro *\n"
    )
    assert trust.prefixes == ("/a/b", "/c")
    assert trust.owners == {0, 500}
    assert trust.macros == {"A", "*"}


@pytest.mark.parametrize("line", ["config", "config a/b", "owner", "macro", "foo bar"])
def test_a_line_that_means_nothing(line: str) -> None:
    with pytest.raises(ConfigError):
        parse_trust(line)


def test_no_file(tmp_path: Path) -> None:
    assert read_trust(str(tmp_path / "none")).prefixes == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs files of root")
@pytest.mark.parametrize(
    ("mode", "uid", "gid", "is_good"),
    [(0o644, 0, 0, True), (0o664, 0, 0, True), (0o664, 0, 8, False), (0o646, 0, 0, False), (0o644, 8, 0, False),
     (0o644, OWNER, 8, True)],
)  # fmt: skip
def test_owner_and_mode(mode: int, uid: int, gid: int, is_good: bool, tmp_path: Path) -> None:
    path = write(tmp_path, "")
    os.chown(path, uid, gid)
    os.chmod(path, mode)
    with open(path) as file:
        if is_good:
            TRUST.check_file(file.fileno(), path)
        else:
            with pytest.raises(ConfigError, match="has the wrong owner, group, or mode"):
                TRUST.check_file(file.fileno(), path)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs files of root")
@pytest.mark.parametrize(("mode", "uid", "is_good"), [(0o600, 0, True), (0o620, 0, False), (0o600, 8, False)])
def test_the_file_is_for_root_alone(mode: int, uid: int, is_good: bool, tmp_path: Path) -> None:
    path = write(tmp_path, "macro A")
    os.chown(path, uid, 0)
    os.chmod(path, mode)
    if is_good:
        assert read_trust(path).macros == {"A"}
    else:
        with pytest.raises(ConfigError, match="must belong to root"):
            read_trust(path)


def test_the_file_is_no_link(tmp_path: Path) -> None:
    write(tmp_path, "macro A", "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigError, match="cannot read"):
        read_trust(str(tmp_path / "link"))


def test_included_file_that_everyone_may_write(tmp_path: Path) -> None:
    path = write(tmp_path, "", "inner.conf")
    os.chmod(path, 0o666)
    with open(path) as file, pytest.raises(ConfigError, match="may be written by everyone"):
        check_included(file.fileno(), path)
    assert complaint(tmp_path, ".include inner.conf") == ""

"""``eximious lookup build``: what it makes is found, by us and by the programs whose formats these are."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eximious.cli.lookup import command
from eximious.lookups import build as build_module
from eximious.lookups.build import Builder, BuildError
from tests.expand.context import answer

SOURCE = """# people
first: data for first
Second  two words
continued: a,
   b
"quoted: key": q
first: again
*.example.org: wild
*@example.net: at
*: default
"""
KINDS = [("lmdb", "x.mdb"), ("cdb", "x.cdb"), ("dbm", "x.db"), ("dbmnz", "x.other")]
FOUND = [
    ("first", "", "data for first"),
    ("second", "", "two words"),
    ("Second", "", "none"),
    ("continued", "", "a, b"),
    ("quoted: key", "", "q"),
    ("nope", "", "none"),
    ("a.b.example.org", "partial-", "wild"),
    ("me@example.net", "*@", "at"),
    ("nope", "*", "default"),
]


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(command, ["build", *words], input=text)


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_what_is_built_is_found(tmp_path: Path, kind: str, name: str) -> None:
    source, target = tmp_path / "source", tmp_path / name
    source.write_text(SOURCE)
    result = run("--type", kind, str(source), str(target))
    assert (result.exit_code, result.output) == (
        0, f"{target}: 7 keys; 1 line with a key that was there before, of which the first counts\n"
    )  # fmt: skip
    for key, variant, expected in FOUND:
        spec = kind + variant if variant.startswith("*") else variant + kind
        assert answer(f"${{lookup{{{key}}}{spec}{{{target}}}{{$value}}{{none}}}}") == expected, key
    assert sorted(os.listdir(tmp_path)) == ["source", name]


OPTIONS = [
    ((), "data for first", "lmdb", "first"),
    (("--duplicates", "last"), "again", "lmdb", "first"),
    (("--keep-case",), "two words", "lmdb", "Second"),
    (("--nul",), "two words", "lmdb,nul", "second"),
]


@pytest.mark.parametrize(("options", "expected", "kind", "key"), OPTIONS)
def test_options(tmp_path: Path, options: tuple[str, ...], expected: str, kind: str, key: str) -> None:
    target = tmp_path / "x.mdb"
    assert run(*options, "-q", "-", str(target), text=SOURCE).output == ""
    assert answer(f"${{lookup{{{key}}}{kind}{{{target}}}}}") == expected


FAULTS = [
    (("--duplicates", "error", "-", "DIR/x.mdb"), SOURCE, "Error: -:7: there was a line with the key 'first' before\n"),
    (("-", "DIR/x.mdb"), "a: b\n" + "k" * 512 + ": v\n", "Error: -:2: the key is longer than 511 octets\n"),
    (("-", "DIR/x.mdb"), "\n: v\n", "Error: -:2: the key is empty\n"),
    (("DIR/none", "DIR/x.mdb"), "", "Error: DIR/none: No such file or directory\n"),
    (("-", "DIR/none/x.mdb"), "", "Error: DIR/none/x.mdb.PID.new: No such file or directory\n"),
    (("-", "DIR/x"), "", "does not end in .mdb, .lmdb, .cdb, .db, .dbm: say --type\n"),
    (("--nul", "-", "DIR/x.cdb"), "", "--nul is for lmdb; of the others, dbm has zero octets by itself\n"),
    (("DIR/x.mdb", "DIR/x.mdb"), "", "source and target are the same file\n"),
    (("-", "/dev/null", "--type", "cdb"), "", "Error: /dev/null is not a regular file\n"),
]


@pytest.mark.parametrize(("words", "text", "expected"), FAULTS)
def test_faults(tmp_path: Path, words: tuple[str, ...], text: str, expected: str) -> None:
    (tmp_path / "x.mdb").write_text("old")
    result = run(*[word.replace("DIR", str(tmp_path)) for word in words], text=text)
    assert result.exit_code != 0
    shown = result.output.replace(str(tmp_path), "DIR").replace(str(os.getpid()), "PID")
    assert shown.endswith(expected)
    assert os.listdir(tmp_path) == ["x.mdb"]
    assert (tmp_path / "x.mdb").read_text() == "old"


def test_rights_are_those_of_the_old_file_or_of_the_source(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "x.mdb"
    source.write_text("a: b\n")
    source.chmod(0o604)
    run(str(source), str(target))
    assert target.stat().st_mode & 0o777 == 0o604
    target.chmod(0o640)
    run(str(source), str(target))
    assert target.stat().st_mode & 0o777 == 0o640
    run("-", str(tmp_path / "y.mdb"), text="a: b\n")
    assert (tmp_path / "y.mdb").stat().st_mode & 0o777 in (0o640, 0o600)


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "x.mdb"
    link.symlink_to("there/y.mdb")
    run("-", str(link), text="a: b\n")
    assert link.is_symlink()
    assert answer(f"${{lookup{{a}}lmdb{{{tmp_path}/there/y.mdb}}}}") == "b"


def test_the_map_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "LEAST_MAP", 64 * 1024)
    monkeypatch.setattr(build_module, "BATCH", 500)
    target = tmp_path / "x.mdb"
    Builder("lmdb").build("-", (f"key{number}: {'v' * 90}" for number in range(5000)), str(target))
    for number in (0, 17, 4999):
        assert answer(f"${{strlen:${{lookup{{key{number}}}lmdb{{{target}}}}}}}") == "90"


def test_a_cdb_file_that_would_be_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eximious.lookups.cdb_writer.LARGEST", 4000)
    with pytest.raises(BuildError, match="cannot have more than 4 GiB"):
        Builder("cdb").build("-", (f"key{number}: v" for number in range(500)), str(tmp_path / "x.cdb"))
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(shutil.which("mdb_dump") is None, reason="no mdb_dump")
def test_mdb_dump_reads_it(tmp_path: Path) -> None:
    run("-", str(tmp_path / "x.mdb"), text="a: b\n")
    dumped = subprocess.run(["mdb_dump", "-n", "-p", "x.mdb"], cwd=tmp_path, capture_output=True, text=True)
    assert "HEADER=END\n a\n b\nDATA=END\n" in dumped.stdout


@pytest.mark.skipif(shutil.which("cdb") is None, reason="no tinycdb")
def test_tinycdb_reads_it_and_we_read_what_it_makes(tmp_path: Path) -> None:
    path = tmp_path / "x.cdb"
    run("-", str(path), text=SOURCE)
    found = subprocess.run(["cdb", "-q", str(path), "continued"], check=True, capture_output=True, text=True)
    assert found.stdout == "a, b"
    other = tmp_path / "other.cdb"
    subprocess.run(["cdb", "-c", "-m", str(other)], input=b"key some data\nother x\n", check=True)
    assert answer(f"${{lookup{{key}}cdb{{{other}}}}}") == "some data"

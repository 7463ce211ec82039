"""``eximious check``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from eximious.cli import check
from eximious.config import paths

GOOD = "primary_hostname = a.example\n"
WARNING = "smtp_banner = ${lcc:a}\n"
ERROR = "queue_onli\ntimezone = \xc3\xa4\nauto_thaw = x\n"


def run(folder: Path, text: str, *arguments: str) -> tuple[int, str]:
    path = folder / "exim.conf"
    path.write_bytes(text.encode("latin-1"))
    result = CliRunner().invoke(check.command, [*arguments, str(path)])
    return result.exit_code, result.output.replace(str(path), "FILE")


def test_good(tmp_path: Path) -> None:
    assert run(tmp_path, GOOD) == (0, "FILE: good\n")


def test_warnings(tmp_path: Path) -> None:
    status, output = run(tmp_path, GOOD + WARNING)
    assert status == 0
    assert output == (
        'warning: FILE:2:15: unknown expansion operator "lcc"\n'
        "    smtp_banner = ${lcc:a}\n"
        "                  ^ did you mean lc?\n"
        "FILE: 0 errors, 1 warning\n"
    )
    assert run(tmp_path, WARNING, "--strict")[0] == 1


def test_errors(tmp_path: Path) -> None:
    status, output = run(tmp_path, ERROR)
    assert status == 1
    assert output == (
        'error: FILE:1:1: main option "queue_onli" unknown\n'
        "    queue_onli\n"
        "    ^ did you mean queue_only?\n"
        "error: FILE:3:13: invalid time value for auto_thaw\n"
        "    auto_thaw = x\n"
        "                ^\n"
        "FILE: 2 errors, 0 warnings\n"
    )


def test_json(tmp_path: Path) -> None:
    status, output = run(tmp_path, "foo = \xc3\xa4\n", "--json")
    assert status == 1
    assert json.loads(output) == {
        "file": "FILE",
        "files": ["FILE"],
        "good": False,
        "errors": [{"message": 'main option "foo" unknown', "file": "FILE", "line": 1, "column": 1, "text": "foo = ä"}],
        "warnings": [],
        "notes": [],
    }


def test_macros(tmp_path: Path) -> None:
    assert run(tmp_path, ".ifdef A\nB\n.endif\n", "-D", "A=1")[0] == 1
    assert run(tmp_path, ".ifdef A\nB\n.endif\n")[0] == 0


def test_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "CONFIGURATIONS", (str(tmp_path / "none"), str(tmp_path / "exim.conf")))
    assert CliRunner().invoke(check.command, []).exit_code == 2
    (tmp_path / "exim.conf").write_text(GOOD)
    assert CliRunner().invoke(check.command, []).exit_code == 0

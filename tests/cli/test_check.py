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


def test_places_in_included_files_and_beside_macros(tmp_path: Path) -> None:
    (tmp_path / "other.conf").write_text("# more\nsmtp_banner = NAME$sender_adress\n")
    status, output = run(tmp_path, f"NAME = a-long-text\n.include {tmp_path}/other.conf\n", "--json")
    assert status == 0
    (warning,) = json.loads(output)["warnings"]
    assert warning == {
        "message": 'unknown variable name "sender_adress"',
        "file": f"{tmp_path}/other.conf",
        "line": 2,
        "column": 19,
        "text": "smtp_banner = NAME$sender_adress",
        "hint": "did you mean sender_address?",
    }


def test_a_rewrite_for_programs(tmp_path: Path) -> None:
    text = "hosts_connection_nolog = ${lookup mysql{SELECT '$sender_host_name' OR '$sender_helo_name'}}\n"
    _, output = run(tmp_path, text, "--json")
    (warning,) = json.loads(output)["warnings"]
    assert warning["replace"] == {"old": "$sender_helo_name", "new": "${quote_mysql:$sender_helo_name}"}
    assert text[warning["column"] - 1 :].startswith(warning["replace"]["old"])


def test_columns_are_those_that_are_seen(tmp_path: Path) -> None:
    line = "smtp_banner = äöü $local_par"
    _, output = run(tmp_path, line.encode().decode("latin-1") + "\n")
    assert f"    {line}\n    {' ' * 18}^ did you mean" in output
    assert ":1:19: " in output


def test_long_lines_are_cut_round_the_caret(tmp_path: Path) -> None:
    _, output = run(tmp_path, f"smtp_banner = {'a' * 1000}$local_par{'b' * 1000}\n")
    shown, caret = output.splitlines()[1:3]
    assert len(shown) < 180
    assert shown[caret.index("^") :].startswith("$local_par")
    assert shown.strip().startswith("...a")
    assert shown.endswith("b...")


def test_what_can_be_said_beside_errors(tmp_path: Path) -> None:
    status, output = run(tmp_path, "queue_onli\n" + WARNING + "daemon_smtp_port = 25\n")
    assert status == 1
    assert [line.partition(":")[0] for line in output.splitlines() if "FILE:" in line][:3] == [
        "error",
        "warning",
        "note",
    ]


def test_files_of_another_machine(tmp_path: Path) -> None:
    text = "hold_domains = lsearch;/none/domains\n"
    status, output = run(tmp_path, text)
    assert status == 0
    assert "there is no file /none/domains" in output
    assert "(--no-files says nothing of files, if the configuration is for another machine)\n" in output
    assert run(tmp_path, text, "--strict")[0] == 1
    assert run(tmp_path, text, "--strict", "--no-files") == (0, "FILE: good\n")


def test_colour_in_a_terminal_only(tmp_path: Path) -> None:
    path = tmp_path / "exim.conf"
    path.write_text(WARNING)
    assert "\x1b[" not in CliRunner().invoke(check.command, [str(path)]).output
    assert "\x1b[33m" in CliRunner().invoke(check.command, [str(path)], color=True).output


def test_what_could_do_something_in_a_terminal(tmp_path: Path) -> None:
    _, output = run(tmp_path, "smtp_banner = \x1b]0;title\x07 \x9b31m $local_par\n")
    assert "\x1b" not in output
    assert "\x9b" not in output
    shown, caret = output.splitlines()[1:3]
    assert shown[caret.index("^") :] == "$local_par"
    _, output = run(tmp_path, "!" * 5000 + "\n")
    assert max(map(len, output.splitlines())) < 400


@pytest.mark.parametrize("path", ["/nonexistent/exim.conf", "/"])
def test_no_such_file(path: str) -> None:
    assert CliRunner().invoke(check.command, [path]).exit_code == 2

"""``exim -be`` and ``-bem``, as a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFIGURATION = """primary_hostname = mail.example.test
spool_directory = SPOOL
MACRO = macro text
"""


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    path = tmp_path / "exim.conf"
    path.write_text(CONFIGURATION.replace("SPOOL", str(tmp_path)))
    return str(path)


def exim(configuration: str, *arguments: str, lines: str = "") -> subprocess.CompletedProcess[str]:
    start = "import sys; from eximious.exim.main import console; sys.exit(console())"
    command = [sys.executable, "-c", start, "-C", configuration, *arguments]
    return subprocess.run(command, input=lines, capture_output=True, encoding="latin-1", timeout=30, check=False)


def test_arguments_are_expanded(configuration: str) -> None:
    done = exim(configuration, "-be", "$primary_hostname", "${lc:ABC}", "$bogus", "\\xe9")
    assert done.stdout == 'mail.example.test\nabc\nFailed: unknown variable name "bogus"\n\xe9\n'
    assert done.returncode == 0


def test_lines_are_expanded_after_a_prompt(configuration: str) -> None:
    done = exim(configuration, "-be", lines="${uc:a}\n${uc:\\\n   b}\n\nlast")
    assert done.stdout == "> A\n> B\n> \n> last\n> \n"


def test_variables_can_be_set(configuration: str) -> None:
    done = exim(
        configuration, "-be", lines="set acl_m_x = ${uc:x}\n$acl_m_x\nset acl_y = 1\nset,t acl_c0 = t\n$acl_c0\n"
    )
    assert done.stdout.split("\n") == [
        "> variable m_x set",
        "> X",
        "> Failed: malformed ACL variable setting",
        "> variable c0 set",
        "> t",
        "> ",
        "",
    ]


def test_tainted_variables_are_tainted(configuration: str) -> None:
    done = exim(configuration, "-be", lines="set,t acl_m0 = /etc/passwd\n${lookup{root}lsearch{$acl_m0}{yes}{no}}\n")
    assert "> Failed: " in done.stdout


def test_macros(configuration: str) -> None:
    done = exim(configuration, "-be", lines="MACRO\nTHIS = MACRO!\nTHIS\nTHIS==other\nTHIS\n")
    assert done.stdout.split("\n")[:5] == [
        "> macro text",
        "> Defined macro 'THIS'",
        "> macro text!",
        "> Defined macro 'THIS'",
        "> other",
    ]


def test_with_a_message(configuration: str, tmp_path: Path) -> None:
    message = tmp_path / "message"
    message.write_text("From: a@b.test\nSubject: =?utf-8?q?caf=C3=A9?=\n folded\n\nbody text\nmore\n")
    done = exim(configuration, "-bem", str(message), "$h_from:", "$rh_subject:", "$message_body", "$message_linecount")
    assert done.stdout.split("\n")[:2] == ["a@b.test", " =?utf-8?q?caf=C3=A9?="]
    assert "body text more" in done.stdout


def test_it_says_what_cannot_be_read(configuration: str, tmp_path: Path) -> None:
    done = exim(configuration, "-bem", str(tmp_path / "none"), "x")
    assert done.returncode == 1
    assert "No such file" in done.stderr


def test_nothing_is_loaded_that_is_not_needed(configuration: str) -> None:
    """Starting takes most of the time of a single expansion."""
    code = (
        "import sys; from eximious.exim.main import main\n"
        "try: main(['exim', '-C', sys.argv[1], '-be', '$tod_full'])\n"
        "except SystemExit: pass\n"
        "heavy = {'asyncio', 'ssl', 'OpenSSL', 'dns', 'lmdb', 'subprocess', 'logging', 'inspect', 'sqlite3'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, configuration], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout.split("\n")[1] == "[]", done.stderr

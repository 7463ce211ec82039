"""``${run``: commands without a shell, with limits."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from eximious.expand import spawn
from eximious.taint import Tainted
from tests.expand.context import answer, make_context

RUNS = [
    ("${run{/bin/echo a b}}", "a b\n"),
    ('${run{/bin/echo "a  b" c}{$value}}', "a  b c\n"),
    ("${run{/bin/echo a}{[$value]}{no}}[$runrc]", "[a\n][0]"),
    ("${run{/bin/false}{yes}{no $runrc}}", "no 1"),
    ("${run{/bin/sh -c 'exit 7'}{yes}{$runrc}}", "7"),
    ("${run{/bin/sh -c 'echo out; echo err >&2; exit 1'}{yes}{$value}}", "out\nerr\n"),
    ("${run{/bin/cat}{[$value]}}", "[]"),
    ("${run{/bin/echo \\$(id) `id` ; *}}", "$(id) `id` ; *\n"),
    ("${run{/nonexistent/command}{yes}{no $runrc}}", "no 127"),
    ("${run{relative}{yes}{no $runrc}}", "no 127"),
    ("${run{/bin/false}{yes}fail}", 'Failed: "run" failed and "fail" requested'),
    ("${run{/bin/sh -c 'kill -9 \\$\\$'}{y}{n $runrc}}", "Failed: command killed by signal 9"),
    ("${run{/bin/echo ${lc:A} $acl_m_x}}", "a b c\n"),
    ("${run,preexpand {/bin/echo $acl_m_x}}", "b c\n"),
]


@pytest.mark.parametrize(("text", "expected"), RUNS)
def test_runs(text: str, expected: str) -> None:
    context = make_context()
    context.message.acl_variables["m_x"] = "b c"
    assert answer(text, context).startswith(expected)


def test_an_argument_from_outside_stays_one_argument() -> None:
    context = make_context()
    context.message.sender = Tainted("a b; rm *")
    assert answer("${run{/usr/bin/printf <%s> $sender_address x}}", context) == "<a b; rm *><x>"


def test_a_tainted_command_is_refused() -> None:
    context = make_context()
    context.message.sender = Tainted("/bin/echo")
    assert answer("${run{$sender_address x}}", context).startswith("Failed:")
    assert "ainted" in str(context.services.logs.lines)  # type: ignore[attr-defined]


def test_no_other_descriptors_are_inherited(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        shown = answer("${run{/bin/ls /proc/self/fd}}")
    assert {"0", "1", "2"} <= set(shown.split())
    assert str(file) not in shown
    assert len(shown.split()) <= 4  # ls has the directory open as well


@pytest.mark.parametrize(
    "command", ["/bin/sleep 60", "/bin/sh -c 'exec >&- 2>&-; sleep 60'", "/bin/sh -c 'sleep 60 & sleep 60'"]
)
def test_time_is_limited(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "TIMEOUT", 0.2)
    begun = time.monotonic()
    assert answer(f"${{run{{{command}}}{{y}}{{n}}}}") == "Failed: command timed out"
    assert time.monotonic() - begun < 5


def test_output_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "MOST_OUTPUT", 1000)
    assert answer("${run{/bin/cat /dev/zero}}") == "Failed: command wrote too much"


def test_filters_of_users_may_be_forbidden_to_run_commands() -> None:
    context = make_context()
    context.facts["forbid_run"] = True
    assert answer("${run{/bin/true}}", context) == "Failed: running a command is not permitted"

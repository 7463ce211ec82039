"""Commands with the message on their standard input."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from eximious.transports.job import Content, Job, own_identity
from eximious.transports.jobs import command, filter
from eximious.transports.outcome import FILTER_FAILED


def run(script: str, content: bytes = b"message\n", **options: Any) -> dict[str, Any]:
    arguments = {
        "argv": ["/bin/sh", "-c", script],
        "environment": {"PATH": "/bin:/usr/bin", "USER": "user"},
        "timeout": 20,
        "max_output": 20480,
        "permit_coredump": False,
    }
    return command.perform(Job("command", own_identity(), arguments | options, Content(content))).values


QUIET = {"status": 0, "timed_out": False, "output": "", "too_much_output": False, "exec_errno": 0}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("cat", {"output": "message\n"}),
    ("cat >&2; exit 3", {"output": "message\n", "status": 3}),
    ("exit 75", {"status": 75}),
    ("kill -9 $$", {"status": -9}),
    ("echo $USER; env | wc -l", {"output": "user\n3\n"}),
    ("ulimit -c; ls /proc/self/fd | wc -w", {"output": "0\n4\n"}),
]


@pytest.mark.parametrize(("script", "expected"), CASES)
def test_run(script: str, expected: dict[str, Any]) -> None:
    assert run(script) == QUIET | expected


def test_a_command_that_does_not_exist() -> None:
    assert run("", argv=["/non/existent"]) == QUIET | {"status": 127, "exec_errno": 2}


def test_large_input_and_output_at_the_same_time() -> None:
    values = run("cat", b"x" * 1_000_000, max_output=2_000_000)
    assert values["output"] == "x" * 1_000_000


def test_a_command_that_reads_nothing() -> None:
    assert run("exit 0", b"x" * 1_000_000) == QUIET


def test_too_much_output() -> None:
    values = run("while :; do echo yes; done", max_output=100)
    assert values == QUIET | {"status": -9, "too_much_output": True, "output": ("yes\n" * 25)}


def test_timeout_kills_the_whole_group() -> None:
    values = run("sleep 60 & echo $!; wait", timeout=0.2)
    assert values["timed_out"]
    assert values["status"] == -9
    sleeper = int(values["output"])
    for _ in range(100):
        try:
            os.kill(sleeper, 0)
        except ProcessLookupError:
            break
        with open(f"/proc/{sleeper}/stat") as stat:
            if stat.read().split()[2] == "Z":
                break
        time.sleep(0.01)
    else:
        pytest.fail("the command's child lives on")


def test_something_left_behind_does_not_hold_up_the_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "GRACE", 0.05)
    started = time.monotonic()
    values = run("sleep 3 & echo done")
    assert values["output"] == "done\n"
    assert time.monotonic() - started < 2


def run_filter(script: str, timeout: float = 20) -> Any:
    arguments = {"argv": ["/bin/sh", "-c", script], "environment": {"PATH": "/bin:/usr/bin"}, "timeout": timeout}
    return filter.perform(Job("filter", own_identity(), arguments, Content(b"one\ntwo\n" * 50_000)))


def test_filter() -> None:
    ended = run_filter("tr a-z A-Z; echo more >&2")
    with os.fdopen(ended.descriptor, "rb") as result:
        assert result.read() == b"ONE\nTWO\n" * 50_000 + b"more\n"


def test_filter_that_fails() -> None:
    ended = run_filter("head -c 10; exit 9")
    assert (ended.status, ended.errno, ended.more_errno, ended.descriptor) == ("deferred", FILTER_FAILED, 9, None)


def test_filter_that_hangs() -> None:
    ended = run_filter("sleep 30", timeout=0.1)
    assert ended.values["timed_out"]

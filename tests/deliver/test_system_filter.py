"""The system filter: what it adds, and what becomes of the recipients. Expected is what Exim logs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .place import Place

USER = f"user = {os.getuid()}\n group = {os.getgid()}"
ROUTERS = "r:\n driver = accept\n transport = t\n"
TRANSPORTS = f"""t:
 driver = appendfile
 file = FOLDER/box
 {USER}
f:
 driver = appendfile
p:
 driver = pipe
"""
MakePlace = Callable[..., Place]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[MakePlace]:
    made: list[Place] = []

    def make(text: str | None, main: str = "", option: str = "FOLDER/filter") -> Place:
        if text is not None:
            (tmp_path / "filter").write_text(f"# Exim filter\n{text}\n")
        new = Place(
            tmp_path,
            main=f"qualify_domain = test.ex\nsystem_filter = {option}\n{main}".replace("FOLDER", str(tmp_path)),
            routers=ROUTERS,
            transports=TRANSPORTS.replace("FOLDER", str(tmp_path)),
            retry="* * F,1h,1m",
        )
        made.append(new)
        return new

    yield make
    for each in made:
        each.close()


def unset(name: str) -> str:
    return f"routing defer (-1): system_filter_{name}_transport is unset"


A, B = "=> a <a@b.c> R=r T=t", "=> d <d@e.f> R=r T=t"
LINES: list[tuple[str, list[str]]] = [
    ("", [A, B, "Completed"]),
    ("unseen deliver x", ["=> x <system-filter> R=r T=t", A, B, "Completed"]),
    ("deliver x", ["original recipients ignored (system filter)", "=> x <system-filter> R=r T=t", "Completed"]),
    ("deliver a@b.c", ["original recipients ignored (system filter)", "=> a <system-filter> R=r T=t", "Completed"]),
    ("seen finish", ["=> discarded (system filter)", "Completed"]),
    ("defer text x", ["Delivery deferred by system filter"]),
    ("freeze", ["Frozen by the system filter"]),
    ('freeze text "x\\ny"', ["Frozen by the system filter: x\\ny"]),
    ("if first_delivery and not manually_thawed then unseen deliver y endif", [
        "=> y <system-filter> R=r T=t", A, B, "Completed",
    ]),
    ("unseen save /x/y", [f"== /x/y <system-filter> {unset('file')}", A, B]),
    ("unseen save rel", [f"== save rel <system-filter> {unset('file')}", A, B]),
    ("unseen save /x/", [f"== /x/ <system-filter> {unset('directory')}", A, B]),
    ("unseen pipe /bin/x", [f"== |/bin/x <system-filter> {unset('pipe')}", A, B]),
    ("mail to a@b", [f"== >a@b <system-filter> {unset('reply')}", A, B]),
    ("foo", ['Error in system filter: unknown filtering command "foo" near line 3 of filter file']),
    ("deliver ${if", [
        'Error in system filter: failed to expand "${if" in deliver command: condition name expected, but found ""',
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_lines(place: MakePlace, text: str, expected: list[str]) -> None:
    made = place(text)
    made.send("a@b.c", "d@e.f")
    assert made.log == expected


FILES = [
    ("FOLDER/none", "FOLDER/none does not exist"),
    ("relative", '"relative" is not an absolute path'),
    ("FOLDER", "FOLDER is not a regular file"),
    ("${if", 'failed to expand "${if": condition name expected, but found ""'),
]


@pytest.mark.parametrize(("option", "why"), FILES)
def test_files_that_cannot_be_used(place: MakePlace, option: str, why: str) -> None:
    made = place(None, option=option)
    message_id = made.send("a@b.c")
    assert made.log == [f"Error in system filter: {why}"]
    claimed = made.services.spool.claim(message_id)
    assert claimed is not None
    assert claimed.message.deliver_first_time
    claimed.release()


@pytest.mark.parametrize("option", ["${if eq{a}{b}{x}fail}", "FOLDER/filter"])
def test_no_filter_after_all(place: MakePlace, tmp_path: Path, option: str) -> None:
    (tmp_path / "filter").write_text("")
    made = place(None, option=option)
    made.send("a@b.c")
    assert made.log == [A, "Completed"]


BOUNCES = [
    ("fail", "cancelled by system filter", "delivery cancelled"),
    ('fail text "go\\taway"', "cancelled by system filter: go\taway", "go\taway"),
    ('fail text "<<for the log>>for you"', "cancelled by system filter: for the log", "for you"),
]


@pytest.mark.parametrize(("text", "line", "told"), BOUNCES)
def test_failing_a_message(place: MakePlace, text: str, line: str, told: str) -> None:
    made = place(f"if not error_message then {text} endif")
    made.send("a@b.c", "d@e.f")
    assert made.log[0] == line
    assert made.log[-1] == "Completed"
    waiting = made.services.spool.list_ids()
    assert len(waiting) == 1
    claimed = made.services.spool.claim(waiting[0])
    assert claimed is not None
    body = claimed.body.read(0, 5000).decode()
    claimed.release()
    assert f"  a@b.c\n    {told}\n" in body
    assert "  d@e.f\n" in body


def test_failing_a_bounce_tells_nobody(place: MakePlace) -> None:
    made = place("fail text x")
    made.send("a@b.c", sender="")
    assert made.log == ["cancelled by system filter: x", "Completed"]
    assert made.services.spool.list_ids() == []


def test_a_thawed_message_is_not_frozen_again(place: MakePlace) -> None:
    made = place("freeze")
    message_id = made.send("a@b.c")
    made.deliver(message_id, thaw=True)
    assert made.log == ["Frozen by the system filter", "Unfrozen by forced delivery", A, "Completed"]


def test_headers_stay_changed(place: MakePlace, tmp_path: Path) -> None:
    made = place('if first_delivery then headers add "Subject: new ($h_subject:)" headers remove Received endif\ndefer')
    message_id = made.send("a@b.c")
    (tmp_path / "filter").write_text("# Exim filter\n")
    made.deliver(message_id)
    text = (tmp_path / "box").read_text()
    assert "Received: here" not in text
    assert "Subject: test\nSubject: new (test)\n" in text


def test_counters_for_users_filters(place: MakePlace) -> None:
    made = place('add 5 to n2\nunseen deliver "x$n2"')
    made.send("a@b.c")
    assert made.log[0] == "=> x5 <system-filter> R=r T=t"


def test_its_own_transports(place: MakePlace, tmp_path: Path) -> None:
    made = place(
        f'add 3 to n1\nunseen save {tmp_path}/copy\nunseen pipe "/bin/test $n1 -eq 3"',
        main="system_filter_file_transport = f\nsystem_filter_pipe_transport = ${lc:P}\n",
    )
    made.send("a@b.c")
    assert sorted(made.log) == sorted(
        [A, "=> FOLDER/copy <system-filter> T=f", "=> |/bin/test $n1 -eq 3 <system-filter> T=p", "Completed"]
    )
    assert "Subject: test\n" in (tmp_path / "copy").read_text()


def test_as_another_user(place: MakePlace, tmp_path: Path) -> None:
    """The filter runs in another process, which hands back what it wants, the headers, and the counters."""
    if os.geteuid() != 0:
        pytest.skip("becomes other users")
    tmp_path.chmod(0o755)
    made = place(
        'headers add "X-Uid: ${run{/usr/bin/id -u}}"\nadd 4 to n5\nunseen deliver "x$recipients_count"',
        main="system_filter_user = 4321\nsystem_filter_group = 4322\n",
    )
    message_id = made.send("a@b.c")
    assert made.log == ["=> x1 <system-filter> R=r T=t", A, "Completed"]
    text = (tmp_path / "box").read_text()
    assert "X-Uid: 4321\n" in text
    assert message_id

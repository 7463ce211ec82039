"""Attempts to deliver a message: in which order, what is logged, what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deliver.place import Place

TRANSPORTS = """
box:
  driver = appendfile
  file = {folder}/box
  {options}
pipe:
  driver = pipe
  command = /bin/cat
  path = /bin:/usr/bin
files:
  driver = appendfile
"""
ACCEPT = "all:\n  driver = accept\n  no_log_as_local\n  transport = box\n"
MakePlace = Callable[..., Place]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[MakePlace]:
    made: list[Place] = []

    def make(routers: str = ACCEPT, options: str = "", main: str = "", retry: str = "* * F,1h,10m") -> Place:
        transports = TRANSPORTS.format(folder=tmp_path, options=options)
        routers = routers.replace("FOLDER", str(tmp_path))
        made.append(Place(tmp_path, main=main, routers=routers, transports=transports, retry=retry))
        return made[-1]

    yield make
    for each in made:
        each.close()


def redirect(**data: str) -> str:
    """Routers that redirect local parts, in order, and then accept."""
    routers = "".join(
        f"r{number}:\n  driver = redirect\n  local_parts = {local_part}\n  data = {text}\n  allow_fail\n  allow_defer\n"
        f"  file_transport = files\n  pipe_transport = pipe\n"
        for number, (local_part, text) in enumerate(data.items())
    )
    return routers + ACCEPT


ATTEMPTS: list[tuple[str, str, list[str], list[str]]] = [
    (ACCEPT, "", ["a@x.ex"], ["=> a@x.ex R=all T=box", "Completed"]),
    (ACCEPT, "", ["a@x.ex", "b@x.ex"], ["=> a@x.ex R=all T=box", "=> b@x.ex R=all T=box", "Completed"]),
    (ACCEPT, "batch_max = 9", ["a@x.ex", "b@x.ex"], ["=> a@x.ex R=all T=box", "-> b@x.ex R=all T=box", "Completed"]),
    (ACCEPT, "disable_logging", ["a@x.ex"], ["Completed"]),
    (ACCEPT, "", ["a@x.ex", "a@x.ex"], ["=> a@x.ex R=all T=box", "Completed"]),
    (
        redirect(list="a@x.ex\\, b@x.ex"),
        "",
        ["list@x.ex"],
        ["=> a@x.ex <list@x.ex> R=all T=box", "=> b@x.ex <list@x.ex> R=all T=box", "Completed"],
    ),
    (
        redirect(a="a@x.ex\\, b@x.ex"),
        "",
        ["a@x.ex"],
        ["=> a@x.ex R=all T=box", "=> b@x.ex <a@x.ex> R=all T=box", "Completed"],
    ),
    (
        redirect(one="a@x.ex", two="a@x.ex"),
        "",
        ["one@x.ex", "two@x.ex"],
        ["=> a@x.ex <one@x.ex> R=all T=box", "Completed"],
    ),
    (redirect(a=":blackhole:"), "", ["a@x.ex"], ["=> :blackhole: <a@x.ex> R=r0", "Completed"]),
    (redirect(a="/dev/null"), "", ["a@x.ex"], ["=> /dev/null <a@x.ex> R=r0 T=**bypassed**", "Completed"]),
    (redirect(a="FOLDER/own"), "", ["a@x.ex"], ["=> FOLDER/own <a@x.ex> R=r0 T=files", "Completed"]),
    (redirect(a='"|/bin/true"'), "", ["a@x.ex"], ["=> |/bin/true <a@x.ex> R=r0 T=pipe", "Completed"]),
    (redirect(a=":defer: later"), "", ["a@x.ex"], ["== a@x.ex R=r0 defer (-1): later"]),
    (
        "copy:\n  driver = accept\n  no_log_as_local\n  unseen\n  transport = box\n" + ACCEPT,
        "",
        ["a@x.ex"],
        ["=> a@x.ex R=all T=box", "=> a@x.ex R=copy T=box", "Completed"],
    ),
]


@pytest.mark.parametrize(("routers", "options", "recipients", "log"), ATTEMPTS)
def test_attempts(place: MakePlace, routers: str, options: str, recipients: list[str], log: list[str]) -> None:
    there = place(routers, options)
    there.send(*recipients)
    assert there.log == log


def test_what_is_done_is_not_done_again(place: MakePlace) -> None:
    there = place(redirect(b=":defer: later"))
    message_id = there.send("a@x.ex", "b@x.ex")
    there.deliver(message_id, forced=True)
    assert [line for line in there.log if "=>" in line] == ["=> a@x.ex R=all T=box"]
    assert there.folder.joinpath("box").read_text().count("\nSubject: test\n") == 1


@pytest.mark.parametrize(
    ("main", "how", "line"),
    [
        ("hold_domains = x.ex", {}, "== a@x.ex defer (-23): domain is held"),
        ("hold_domains = x.ex", {"forced": True}, "=> a@x.ex R=all T=box"),
        ("queue_domains = x.ex", {}, "== a@x.ex defer (-56): domain is in queue_domains"),
        ("queue_domains = x.ex", {"in_queue_run": True}, "=> a@x.ex R=all T=box"),
    ],
)
def test_domains_that_wait(place: MakePlace, main: str, how: dict[str, bool], line: str) -> None:
    there = place(main=main)
    there.deliver(there.queue("a@x.ex"), **how)
    assert there.log[0] == line


def test_retry_times(place: MakePlace) -> None:
    there = place(redirect(a=":defer: later"), retry="* * F,1h,10m")
    message_id = there.send("a@x.ex")
    there.time += 60
    there.deliver(message_id, in_queue_run=True)
    assert there.log[1:] == ["== a@x.ex routing defer (-52): retry time not reached"]
    there.time += 600
    there.deliver(message_id, in_queue_run=True)
    assert there.log[2:] == ["== a@x.ex R=r0 defer (-1): later"]
    there.time += 3600
    there.deliver(message_id, in_queue_run=True)
    assert there.log[3:5] == ["== a@x.ex R=r0 defer (-1): later", "** a@x.ex: retry timeout exceeded"]
    assert there.log[-1] == "Completed"


def test_giving_up(place: MakePlace) -> None:
    there = place(redirect(a=":defer: later"))
    message_id = there.send("a@x.ex")
    there.deliver(message_id, give_up=True, who="root")
    assert there.log[1] == "cancelled by root"
    (bounce,) = there.submitted()
    assert "  a@x.ex\n    delivery cancelled by administrator\n" in bounce.body or "  a@x.ex\n" in bounce.body
    assert there.log[-1] == "Completed"


def test_bounces_that_fail_are_frozen(place: MakePlace) -> None:
    there = place(redirect(a=":fail: no"))
    message_id = there.send("a@x.ex", sender="")
    assert there.log == ["** a@x.ex R=r0 : no", "Frozen (delivery error message)"]
    there.deliver(message_id, in_queue_run=True)
    assert there.log[2:] == ["Message is frozen"]
    there.deliver(message_id, thaw=True)
    assert there.log[3] == "Unfrozen by forced delivery"


def test_old_bounces_are_forgotten(place: MakePlace) -> None:
    there = place(redirect(a=":fail: no"), main="ignore_bounce_errors_after = 2d")
    message_id = there.send("a@x.ex", sender="")
    there.time += 2 * 86400
    there.deliver(message_id, in_queue_run=True)
    assert there.log[2:] == ["Unfrozen by errmsg timer", "** a@x.ex R=r0 : no", "a@x.ex: error ignored", "Completed"]


def test_auto_thaw(place: MakePlace) -> None:
    there = place(main="auto_thaw = 1h")
    message_id = there.queue("a@x.ex", is_frozen=True, frozen_at=int(there.time))
    there.deliver(message_id, in_queue_run=True)
    assert there.log == ["Message is frozen"]
    there.time += 3601
    there.deliver(message_id, in_queue_run=True)
    assert there.log[1:] == ["Unfrozen by auto-thaw", "=> a@x.ex R=all T=box", "Completed"]


def test_timeout_frozen_after(place: MakePlace) -> None:
    there = place(main="timeout_frozen_after = 1d")
    message_id = there.queue("a@x.ex", is_frozen=True, frozen_at=int(there.time))
    there.time += 86400
    there.deliver(message_id, in_queue_run=True)
    assert there.log[0] == "cancelled by timeout_frozen_after"
    assert len(there.submitted(message_id)) == 1


def test_one_time(place: MakePlace) -> None:
    routers = redirect(list="a@x.ex\\, b@x.ex", b=":defer: later").replace("data = a@", "one_time\n  data = a@", 1)
    there = place(routers)
    message_id = there.send("list@x.ex")
    message = there.services.spool.read(message_id)
    assert message is not None
    assert [str(recipient.address) for recipient in message.recipients] == ["list@x.ex", "b@x.ex"]
    assert message.nonrecipients == {"list@x.ex", "a@x.ex"}
    there.deliver(message_id)
    assert there.log[-1] == "== b@x.ex <list@x.ex> R=r1 defer (-1): later"


def test_one_time_keeps_the_order(place: MakePlace) -> None:
    routers = redirect(list="b@x.ex\\, c@x.ex", b=":defer: later", c=":defer: later")
    there = place(routers.replace("data = b@", "one_time\n  data = b@", 1))
    message = there.services.spool.read(there.send("list@x.ex"))
    assert message is not None
    assert [str(recipient.address) for recipient in message.recipients] == ["list@x.ex", "b@x.ex", "c@x.ex"]


def test_n_option(place: MakePlace, tmp_path: Path) -> None:
    there = place()
    there.send("a@x.ex", dont_deliver=True)
    assert there.log == ["*> a@x.ex R=all T=box", "Completed"]
    assert not (tmp_path / "box").exists()


def test_shadow_transport(place: MakePlace, tmp_path: Path) -> None:
    there = place(options="shadow_transport = files\n  shadow_condition = ${if eq{$local_part}{a}}")
    there.send("a@x.ex")
    assert there.log[0] == (
        "=> a@x.ex R=all T=box ST=files (Mandatory file or directory option missing from files transport)"
    )


def test_envelope_to_and_more(place: MakePlace, tmp_path: Path) -> None:
    options = "batch_max = 9\n  envelope_to_add\n  return_path_add\n  delivery_date_add"
    there = place(redirect(one="a@x.ex", two="a@x.ex"), options)
    there.send("one@x.ex", "two@x.ex")
    text = (tmp_path / "box").read_text()
    assert "\nReturn-path: <s@sender.example>\nEnvelope-to: two@x.ex,\n one@x.ex\nDelivery-date: " in text


def test_message_log(place: MakePlace, tmp_path: Path) -> None:
    there = place(redirect(b=":defer: later"))
    message_id = there.send("a@x.ex", "b@x.ex")
    (log,) = (tmp_path / "spool" / "msglog").rglob(message_id)
    lines = [line[20:] for line in log.read_text().splitlines()]
    assert lines == ["b@x.ex R=r0 defer (-1): later", "a@x.ex: box transport succeeded"]


def test_who_cannot_be_written_to(place: MakePlace) -> None:
    there = place("all:\n  driver = accept\n  transport = box\n  user = 0\n  group = 0\n", main="never_users = 0")
    there.send("a@x.ex")
    assert there.log[0] == "User 0 set for box transport is on the never_users list"
    assert there.log[1].startswith("== a@x.ex R=all T=box defer (-29): User 0 set for box transport")


def test_frozen_messages_are_moved_aside(place: MakePlace, tmp_path: Path) -> None:
    there = place(redirect(a=":fail: no"), main="move_frozen_messages")
    message_id = there.send("a@x.ex", sender="")
    assert there.log[1:] == ["Frozen (delivery error message)", "moved from input, msglog to Finput, Fmsglog"]
    spool = tmp_path / "spool"
    assert sorted(file.name for file in (spool / "Finput").iterdir()) == [f"{message_id}-D", f"{message_id}-H"]
    assert [file.name for file in (spool / "Fmsglog").iterdir()] == [message_id]
    assert there.services.spool.list_ids() == []

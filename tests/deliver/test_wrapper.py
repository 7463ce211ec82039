"""mua_wrapper: one transaction with a smart host, now or never. What is expected is what Exim says."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.deliver.message import COMPLETED, REFUSED
from tests.deliver.place import Place
from tests.send.servers import ScriptedServer

ROUTERS = """
local:
  driver = accept
  local_parts = local
  transport = box
defer:
  driver = redirect
  local_parts = defer
  allow_defer
  data = :defer: not now
fail:
  driver = redirect
  local_parts = fail
  allow_fail
  data = :fail: no such
other:
  driver = manualroute
  local_parts = other
  route_list = * 127.0.0.2::{port}
  self = send
  transport = t
hosts:
  driver = manualroute
  local_parts = two
  route_list = * 127.0.0.1::1:127.0.0.1::{port}
  self = send
  transport = t
r:
  driver = manualroute
  route_list = * 127.0.0.1::{port}
  self = send
  transport = t
"""
TRANSPORTS = "t:\n  driver = smtp\n  max_rcpt = 1\nbox:\n  driver = appendfile\n  file = /dev/null\n"
BEGIN = "220 x\n? EHLO\n250-x\n250-CHUNKING\n250 PIPELINING\n? MAIL\n250 ok\n"
GOOD = "*bdat\n250 fine\n? QUIT\n"
REFUSALS = [
    (["a", "local"], "routing local@x.ex yielded a local delivery", ["** local@x.ex routing yielded a local delivery"]),
    (
        ["a", "defer"],
        "routing defer@x.ex yielded a deferred delivery: not now",
        ["== defer@x.ex R=defer defer (-1): not now", "** defer@x.ex routing yielded a deferred delivery"],
    ),
    (["fail"], "routing fail@x.ex yielded a failed delivery: no such", ["** fail@x.ex R=fail : no such"]),
    (
        ["a", "other"],
        "delivery to smarthost failed (configuration problem)",
        ["** mua_wrapper is set but recipients cannot all be delivered in one transaction"],
    ),
]


def make(tmp_path: Path, port: int = 1) -> Place:
    """A place with mua_wrapper."""
    return Place(tmp_path, main="mua_wrapper", routers=ROUTERS.format(port=port), transports=TRANSPORTS)


@pytest.mark.parametrize(("recipients", "error", "log"), REFUSALS)
def test_what_cannot_be_done(
    tmp_path: Path, recipients: list[str], error: str, log: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    there = make(tmp_path)
    message_id = there.queue(*(f"{name}@x.ex" for name in recipients))
    assert there.deliver(message_id) == REFUSED
    assert capsys.readouterr().err == f"{error}\n"
    assert there.log == [*log, "Completed"]
    assert there.services.spool.list_ids() == []
    there.close()


def test_all_in_one_transaction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer(f"{BEGIN}? RCPT\n250 ok\n? RCPT\n250 ok\n{GOOD}") as server:
        there = make(tmp_path, server.port)
        assert there.deliver(there.queue("a@x.ex", "b@x.ex")) == COMPLETED
    assert [line[:2] for line in there.log] == ["=>", "->", "Co"]
    assert capsys.readouterr().err == ""
    there.close()


def test_the_next_host(tmp_path: Path) -> None:
    with ScriptedServer(f"{BEGIN}? RCPT\n250 ok\n{GOOD}") as server:
        there = make(tmp_path, server.port)
        assert there.deliver(there.queue("two@x.ex")) == COMPLETED
    there.close()


def test_all_or_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = f"{BEGIN}? RCPT\n250 ok\n? RCPT\n550 never\n? RCPT\n451 later\n? QUIT\n"
    with ScriptedServer(script) as server:
        there = make(tmp_path, server.port)
        assert there.deliver(there.queue("a@x.ex", "p@x.ex", "t@x.ex")) == REFUSED
    error = "SMTP error from remote mail server after RCPT TO:<{}@x.ex>: {}"
    never, later = error.format("p", "550 never"), error.format("t", "451 later")
    assert capsys.readouterr().err == f"Delivery failed: H=127.0.0.1 [127.0.0.1]: {later}\n"
    host = "R=r T=t H=127.0.0.1 [127.0.0.1]"
    assert there.log == [
        f"** a@x.ex {host} : {never}",
        f"** p@x.ex {host} : {never}",
        f"** t@x.ex {host} : {later}",
        "Completed",
    ]
    assert there.submitted() == []
    there.close()


def test_no_host_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = make(tmp_path)
    assert there.deliver(there.queue("a@x.ex")) == REFUSED
    assert capsys.readouterr().err == "Delivery failed: Connection refused\n"
    assert there.services.hints.retry.get("T:[127.0.0.1]:127.0.0.1:1") is None
    there.close()

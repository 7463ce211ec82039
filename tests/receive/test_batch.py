"""SMTP in a batch (``-bS``): messages without answers, and what is said when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.context import Context
from eximious.net.memory import MemoryStream
from eximious.receive.batch import Batch
from eximious.receive.submitter import Submitter
from tests.receive.place import Server

USER = Submitter("joe", "Joe User", 1000, 1000, address="joe@test.ex")
TRUSTED = Submitter("boss", "The Boss", 1001, 1001, address="boss@test.ex", is_trusted=True)
GOOD = "MAIL FROM:<a@b.test>\nRCPT TO:<c@test.ex>\nDATA\nSubject: x\n\nbody\n.\n"


def batch(server: Server, text: str, submitter: Submitter = TRUSTED) -> int:
    """Hand a batch over; the exit status."""
    context = Context(server.config, server.services)
    context.client.is_local = True
    context.client.ident = submitter.login
    return Batch(context, submitter, MemoryStream(text.encode("latin-1")), "local-bsmtp").run()


def test_several_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(tmp_path)
    assert batch(server, f"HELO x\n{GOOD}NOOP\nRSET\n{GOOD}QUIT\n{GOOD}") == 0
    assert [message.sender for message, _ in server.queue.messages] == ["a@b.test", "a@b.test"]
    assert capsys.readouterr() == ("", "")
    assert [line.split(" S=")[0] for line in server.logs.lines] == ["main: <= a@b.test U=boss P=local-bsmtp"] * 2


def test_the_sender_of_an_untrusted_caller(tmp_path: Path) -> None:
    server = Server(tmp_path)
    assert batch(server, GOOD, USER) == 0
    assert server.queue.messages[0][0].sender == "joe@test.ex"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends(line_end: str, tmp_path: Path) -> None:
    server = Server(tmp_path)
    assert batch(server, GOOD.replace("\n", line_end)) == 0
    assert server.queue.messages[0][1] == b"body\n"


@pytest.mark.parametrize(
    ("text", "status", "first", "line"),
    [
        ("FOO\n", 2, "500 Command unrecognized", 1),
        ("RCPT TO:<c@test.ex>\n", 2, "503 sender not yet given", 1),
        ("MAIL FROM:<a@b.test>\nMAIL FROM:<a@b.test>\n", 2, "503 sender already given", 2),
        ("MAIL FROM:<a@b.test>\nDATA\n", 2, "503 valid RCPT command must precede DATA", 2),
        ("MAIL FROM:<a@b.test>\nRCPT TO:<@x.test>\n", 2, "501 no local part", 2),
        (f"{GOOD}FOO\n", 1, "500 Command unrecognized", 8),
    ],
)
def test_errors(
    text: str, status: int, first: str, line: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest of the batch is abandoned; the exit status says whether there were messages before."""
    server = Server(tmp_path)
    assert batch(server, text + GOOD) == status
    assert len(server.queue.messages) == 2 - status
    out, err = capsys.readouterr()
    lines = out.split("\n")
    assert lines[0] == first
    assert lines[2] == f"Error detected in line {line}"
    assert err.startswith("An error was detected while processing a file of BSMTP input.\n")
    assert f"The error message was:\n\n  {first}\n" in err
    count = len(server.queue.messages)
    assert f"{count} previous message{' was' if count == 1 else 's were'} successfully processed.\n" in err


def test_refused_by_the_acl(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(tmp_path, "acl_not_smtp = deny message = Not today\n")
    assert batch(server, GOOD) == 2
    assert capsys.readouterr().out.startswith("550 Not today\n")
    assert not server.queue.messages


def test_the_end_of_the_input_in_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(tmp_path)
    assert batch(server, GOOD[:-3]) == 2
    assert capsys.readouterr().out.startswith("421 Lost incoming connection\n")
    assert not server.queue.messages

# ruff: noqa: E501 -- a row is a line
"""pipe, autoreply, lmtp and queuefile at work: a message is delivered, and the log tells how."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eximious.deliver.local import perform_here
from eximious.spool.message import Header
from eximious.transports.job import Ended, Job
from tests.deliver.place import Place

USER = f"user = {os.getuid()}\n group = {os.getgid()}\n"
ROUTERS = "r:\n driver = accept\n transport = t\n"
MakePlace = Callable[..., Place]


class Here:
    """Does jobs in this process."""

    def run(self, job: Job) -> Ended:
        return perform_here(job)

    def close(self) -> None:
        """Nothing is kept."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[MakePlace]:
    made: list[Place] = []

    def make(transport: str, routers: str = ROUTERS, main: str = "") -> Place:
        transports = f"t:\n {transport}\n {USER}".replace("FOLDER", str(tmp_path))
        new = Place(tmp_path, main=main, routers=routers, transports=transports)
        new.services.local = Here()
        made.append(new)
        return new

    yield make
    for each in made:
        each.close()


DONE = ["=> a <a@test.ex> R=r T=t", "Completed"]
CHILD = "Child process of t transport "
FAILED = "** a@test.ex R=r T=t : "
LATER = "== a@test.ex R=r T=t defer (0): "
KILLED = "(running command \"/bin/sh -c 'kill -9 \\$\\$'\") was terminated by signal 9 (Killed)"
NO_EXEC = "returned 127 (could mean unable to exec or command does not exist) from command: "
PIPES = [
    ("command = /bin/true", DONE),
    ("command = /bin/sh -c 'exit 1'", [f"{FAILED}{CHILD}returned 1 from command: /bin/sh"]),
    ("command = /bin/sh -c 'exit 64'", [f"{FAILED}{CHILD}returned 64 (could mean usage or syntax error) from command: /bin/sh"]),
    ("command = /bin/sh -c 'exit 75'", [f"{LATER}{CHILD}returned 75 (could mean temporary error) from command: /bin/sh"]),
    ("command = /bin/sh -c 'exit 3'\n temp_errors = 3", [f"{LATER}{CHILD}returned 3 from command: /bin/sh"]),
    ("command = /bin/sh -c 'exit 3'\n temp_errors = *", [f"{LATER}{CHILD}returned 3 from command: /bin/sh"]),
    ("command = /bin/sh -c 'exit 3'\n ignore_status", DONE),
    ("command = exit 3\n use_shell", [f"{FAILED}{CHILD}returned 3 from command: /bin/sh"]),
    ("command = /bin/sh -c 'kill -9 \\$\\$'", [f"{FAILED}{CHILD}{KILLED}"]),
    ("command = /bin/sh -c 'kill -9 \\$\\$'\n freeze_signal", [f"{LATER}{CHILD}{KILLED}", "Frozen"]),
    ("command = /no/such/command", [f"{FAILED}{CHILD}{NO_EXEC}/no/such/command"]),
    ("command = /etc/passwd", [f"{FAILED}{CHILD}{NO_EXEC}/etc/passwd"]),
    ("command = /no/such/command\n freeze_exec_fail", [f'{LATER}pipe process failed to exec "/no/such/command"', "Frozen"]),
    ("command = relative", [f'{FAILED}"relative" command not found for t transport']),
    ("command =", [f"{LATER}no command specified for t transport"]),
    ("command = /bin/echo ${if", [f'{LATER}Expansion of "${{if" from command "/bin/echo ${{if" in t transport failed: condition name expected, but found ""']),
    ("command = /bin/sh -c 'echo out'\n return_output", [f"{FAILED}return message generated"]),
    ("command = /bin/sh -c 'echo out; exit 75'\n return_output", [f"{FAILED}{CHILD}returned 75 (could mean temporary error) from command: /bin/sh"]),
    ("command = /bin/sh -c 'kill -9 \\$\\$; echo \"x\"'", [f"{FAILED}{CHILD}(running command \"/bin/sh -c 'kill -9 \\$\\$; echo \\\"x\\\"'\") was terminated by signal 9 (Killed)"]),
    ("command = /bin/sh -c 'echo out'\n return_fail_output", DONE),
    ("command = /bin/sh -c 'echo out'\n log_output", ["<a@test.ex>: t transport output: out", *DONE]),
    ("command = /bin/sh -c 'echo out; exit 75'\n log_defer_output", ["<a@test.ex>: t transport output: out", f"{LATER}{CHILD}returned 75 (could mean temporary error) from command: /bin/sh"]),
    ("command = /bin/sh -c 'echo out; exit 1'\n log_fail_output", ["<a@test.ex>: t transport output: out", f"{FAILED}{CHILD}returned 1 from command: /bin/sh"]),
    ("command = /bin/sh -c 'echo out; exit 1'\n log_defer_output", [f"{FAILED}{CHILD}returned 1 from command: /bin/sh"]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), PIPES)
def test_pipe_verdicts(place: MakePlace, options: str, expected: list[str]) -> None:
    there = place(f"driver = pipe\n {options}")
    there.send("a@test.ex")
    assert there.log[: len(expected)] == expected


PIPED = [
    ("", "From s@sender.example Tue Nov 14 22:13:20 2023\nReceived: here\nSubject: test\n\nbody\n\n"),
    ("message_prefix =\n message_suffix =", "Received: here\nSubject: test\n\nbody\n"),
    ("message_prefix = \"<\\n\"\n message_suffix = \">\\n\"", "<\nReceived: here\nSubject: test\n\nbody\n>\n"),
    ("message_prefix =\n message_suffix =\n headers_only", "Received: here\nSubject: test\n\n"),
    ("message_prefix =\n message_suffix =\n body_only", "body\n"),
    ("message_prefix =\n message_suffix =\n return_path_add\n body_only = false", "Return-path: <s@sender.example>\nReceived: here\nSubject: test\n\nbody\n"),
    ("message_prefix =\n message_suffix =\n envelope_to_add", "Envelope-to: a@test.ex\nReceived: here\nSubject: test\n\nbody\n"),
    ("use_bsmtp", "MAIL FROM:<s@sender.example>\nRCPT TO:<a@test.ex>\nDATA\nReceived: here\nSubject: test\n\nbody\n.\n"),
    ("use_crlf\n message_prefix =\n message_suffix =", "Received: here\r\nSubject: test\r\n\r\nbody\r\n"),
    ("message_prefix =\n message_suffix =\n headers_add = X-A: $local_part\n headers_remove = subject", "Received: here\nX-A: a\n\nbody\n"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), PIPED)
def test_what_pipes_get(
    place: MakePlace, options: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    there = place(f"driver = pipe\n command = /usr/bin/tee FOLDER/got\n {options}")
    there.send("a@test.ex")
    assert (tmp_path / "got").read_bytes().decode() == expected


ENVIRONMENT = {
    "LOCAL_PART": "a",
    "DOMAIN": "test.ex",
    "RECIPIENT": "a@test.ex",
    "SENDER": "s@sender.example",
    "QUALIFY_DOMAIN": "mx.example",
    "PATH": "/bin:/usr/bin",
    "SHELL": "/bin/sh",
    "EXTRA": "yes a",
}


def test_environment_of_pipes(place: MakePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "word")
    options = (
        "environment = EXTRA=yes $local_part\n command = /bin/sh -c 'env > FOLDER/env; ls /proc/self/fd > FOLDER/fds'"
    )
    place(f"driver = pipe\n path = /bin:/usr/bin\n {options}").send("a@test.ex")
    found = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert {name: found.get(name, "") for name in ENVIRONMENT} == ENVIRONMENT
    assert "SECRET" not in found
    assert (tmp_path / "fds").read_text().split() == ["0", "1", "2", "3"]  # 3 is the folder that ls reads


TAINTED = ["", "\n use_shell"]


@pytest.mark.parametrize("options", TAINTED)
def test_what_came_from_outside_is_no_argument(place: MakePlace, options: str, tmp_path: Path) -> None:
    there = place(f"driver = pipe\n command = /usr/bin/tee FOLDER/got $local_part{options}")
    there.send(";touch FOLDER/pwned;@test.ex")
    assert there.log[0].startswith("** ")
    assert "ainted" in there.log[0]
    assert not (tmp_path / "got").exists()


def test_backquotes_are_not_for_a_shell(place: MakePlace, tmp_path: Path) -> None:
    place("driver = pipe\n command = /usr/bin/tee FOLDER/`touch FOLDER/;touch").send("a@test.ex")
    assert {"`touch", ";touch"} <= {path.name for path in tmp_path.iterdir()}


ALLOWED = [
    ("allow_commands = /bin/true", "/bin/true", "=>"),
    ("allow_commands = /bin/true", "true", "**"),
    ("allow_commands = /bin/true", "/bin/false", "**"),
    ("restrict_to_path\n path = /bin", "true", "=>"),
    ("restrict_to_path\n path = /bin", "/bin/true", "**"),
    ("restrict_to_path\n path = /bin", "../bin/true", "**"),
]


@pytest.mark.parametrize(("options", "command", "flag"), ALLOWED)
def test_commands_that_are_allowed(place: MakePlace, options: str, command: str, flag: str) -> None:
    routers = f'r:\n driver = redirect\n data = "|{command}"\n pipe_transport = t\n {USER}'
    there = place(f"driver = pipe\n {options}", routers=routers)
    there.send("a@test.ex")
    assert there.log[0].startswith(flag), there.log


def submitted(there: Place) -> list[tuple[str, list[str], str]]:
    """The messages in the queue: sender, recipients, and text."""
    found = []
    for message_id in there.services.spool.list_ids():
        claimed = there.services.spool.claim(message_id)
        assert claimed is not None
        message = claimed.message
        text = "".join(header.text for header in message.headers if header.kind not in ("*", "P", "I"))
        recipients = [str(recipient.address) for recipient in message.recipients]
        found.append((message.sender, recipients, f"{text}\n{claimed.body.data().decode()}"))
        claimed.release()
    return found


REPLIES = [
    (
        "to = $sender_address\n from = me@test.ex\n subject = Re: $h_subject\n text = hello",
        ["s@sender.example"],
        "From: me@test.ex\nTo: s@sender.example\nSubject: Re: test\nAuto-Submitted: auto-replied\n",
        "\nhello\n",
    ),
    ("to = a@x.ex, B <b@x.ex>\n cc = c@x.ex\n bcc = d@x.ex", ["a@x.ex", "b@x.ex", "c@x.ex", "d@x.ex"], "Cc: c@x.ex\n", "\n"),
    ("to = a@x.ex, b@x.ex\n never_mail = a@x.ex", ["b@x.ex"], "To: b@x.ex\n", ""),
    ("to = a@x.ex\n headers = \"X-A: b\\nX-C: d\"", ["a@x.ex"], "X-A: b\nX-C: d\n", ""),
    ("to = a@x.ex\n file = FOLDER/text", ["a@x.ex"], "", "\nA $local_part\n"),
    ("to = a@x.ex\n file = FOLDER/text\n file_expand\n text = first", ["a@x.ex"], "", "\nfirst\nA a\n"),
    ("to = a@x.ex\n file = FOLDER/none\n file_optional", ["a@x.ex"], "", "\n"),
    ("to = a@x.ex\n return_message", ["a@x.ex"], "", "\n------ This is a copy of the message, including all the headers.\n\nReceived: here\nSubject: test\n\nbody\n"),
    ("to = a@x.ex\n return_message\n headers_only", ["a@x.ex"], "", "------ This is a copy of the message's header lines.\n\nReceived: here\nSubject: test\n\n"),
    ("to = a@x.ex\n return_message\n body_only", ["a@x.ex"], "", "------ This is a copy of the body of the message, without the headers.\n\nbody\n"),
    ("to = unqualified", ["unqualified@mx.example"], "To: unqualified@mx.example\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("options", "recipients", "header", "end"), REPLIES)
def test_replies(place: MakePlace, options: str, recipients: list[str], header: str, end: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("A $local_part\n")
    there = place(f"driver = autoreply\n {options}")
    there.send("a@test.ex")
    ((sender, to, text),) = submitted(there)
    assert (sender, to) == ("", recipients)
    assert header in text
    assert text.endswith(end)


NO_REPLIES = [
    ("to = a@x.ex\n never_mail = *@x.ex", "=> a <a@test.ex> R=r T=t"),
    ("text = nobody", "=> a <a@test.ex> R=r T=t"),
    ("to = a@x.ex\n file = FOLDER/none", "== a@test.ex R=r T=t defer (2): No such file or directory: Failed to open file FOLDER/none when sending message from t transport: "),
    ("to = a@x.ex\n subject = \"a\\nb\"", "** a@test.ex R=r T=t : Expansion of \"a\\nb\" in t transport contains non-printing character 10"),
    ("to = ${if", "== a@test.ex R=r T=t defer (0): Expansion of \"${if\" failed in t transport: condition name expected, but found \"\""),
    ("to = a@x.ex\n once = FOLDER/once\n once_repeat = xx", "** a@test.ex R=r T=t : Invalid time value \"xx\" for \"once_repeat\" in t transport"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "log"), NO_REPLIES)
def test_no_replies(place: MakePlace, options: str, log: str) -> None:
    there = place(f"driver = autoreply\n {options}")
    there.send("a@test.ex")
    assert "\n".join(there.log).startswith(log), there.log


@pytest.mark.parametrize("size", ["", "\n once_file_size = 1K"])
def test_once(place: MakePlace, size: str, tmp_path: Path) -> None:
    there = place(
        f"driver = autoreply\n to = a@x.ex\n subject = Hi\n once = FOLDER/once\n log = FOLDER/log\n once_repeat = 1d{size}"
    )
    there.send("a@test.ex")
    there.send("a@test.ex")
    assert len(submitted(there)) == 1
    log = (tmp_path / "log").read_text().splitlines()
    assert [line for line in log if line.startswith("  ")] == [
        "  To: a@x.ex",
        "  Subject: Hi",
        "  previously sent to a@x.ex",
    ]


IDS = [
    ("Message-ID: <1@x>\n", "In-Reply-To: <1@x>\nReferences: <1@x>\n"),
    ("Message-ID: <3@x>\nReferences: <1@x> <2@x>\n", "In-Reply-To: <3@x>\nReferences: <1@x> <2@x> <3@x>\n"),
    ("Message-ID: <3@x>\nIn-Reply-To: <1@x>\n", "In-Reply-To: <3@x>\nReferences: <1@x> <3@x>\n"),
    ("Message-ID: <3@x>\nIn-Reply-To: <1@x> <2@x>\n", "In-Reply-To: <3@x>\nReferences: <3@x>\n"),
]


@pytest.mark.parametrize(("headers", "expected"), IDS)
def test_what_a_reply_refers_to(place: MakePlace, headers: str, expected: str) -> None:
    there = place("driver = autoreply\n to = a@x.ex")
    there.send("a@test.ex", headers=[Header(f"{line}\n") for line in headers.splitlines()])
    assert expected in submitted(there)[0][2]


class LmtpServer:
    """Answers each line with the next piece of a script, on a Unix-domain socket; keeps what it heard."""

    def __init__(self, path: Path, *answers: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(1)
        self.socket.settimeout(5)
        self.answers = list(answers)
        self.heard = b""
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        connection, _ = self.socket.accept()
        connection.settimeout(5)
        with connection, connection.makefile("rwb") as file:
            is_text = False
            for answer in self.answers:
                if self.heard or answer != self.answers[0]:
                    line = file.readline()
                    self.heard += line
                    while is_text and line not in (b".\r\n", b""):
                        line = file.readline()
                        self.heard += line
                is_text = answer.startswith("354")
                if answer:
                    file.write(answer.encode().replace(b"\n", b"\r\n") + b"\r\n")
                    file.flush()
                self.heard = self.heard or b"\0"
            self.heard = (self.heard + file.read()).lstrip(b"\0")

    def close(self) -> str:
        """What was heard."""
        self.thread.join(5)
        self.socket.close()
        return self.heard.decode()


ERROR = "LMTP error after "
LMTP = [
    (["220 hi", "250 lhlo", "250 mail", "250 a", "250 b", "354 go", "250 done\n250 too"], ["=> a <a@test.ex> R=r T=t C=\"250 done\"", "-> b <b@test.ex> R=r T=t C=\"250 too\"", "Completed"]),
    (["220 hi", "250 lhlo", "250 mail", "550 no", "250 b", "354 go", "250 done"], [f"** a@test.ex R=r T=t : {ERROR}RCPT TO:<a@test.ex>: 550 no", "=> b <b@test.ex> R=r T=t C=\"250 done\""]),
    (["220 hi", "250 lhlo", "250 mail", "450 no", "250 b", "354 go", "250 done"], [f"== a@test.ex R=r T=t defer (-44): {ERROR}RCPT TO:<a@test.ex>: 450 no", "=> b <b@test.ex> R=r T=t C=\"250 done\""]),
    (["220 hi", "250 lhlo", "250 mail", "250 a", "250 b", "354 go", "250 done\n552 full"], ["=> a <a@test.ex> R=r T=t C=\"250 done\"", f"** b@test.ex R=r T=t : {ERROR}end of data: 552 full"]),
    (["220 hi", "250 lhlo", "250 mail", "250 a", "250 b", "450 not now"], [f"== a@test.ex R=r T=t defer (-46): {ERROR}DATA: 450 not now", f"== b@test.ex R=r T=t defer (-46): {ERROR}DATA: 450 not now"]),
    (["220 hi", "250 lhlo", "550 no"], [f"** a@test.ex R=r T=t : {ERROR}MAIL FROM:<s@sender.example>: 550 no"]),
    (["220 hi", "500 what"], [f"** a@test.ex R=r T=t : {ERROR}LHLO mx.example: 500 what"]),
    (["450 busy"], [f"== a@test.ex R=r T=t defer (-1): {ERROR}initial connection: 450 busy"]),
    (["220 hi", "250 lhlo", "250 mail", "550 a", "550 b"], [f"** a@test.ex R=r T=t : {ERROR}RCPT TO:<a@test.ex>: 550 a", f"** b@test.ex R=r T=t : {ERROR}RCPT TO:<b@test.ex>: 550 b"]),
    (["220 hi", "nonsense"], ["== a@test.ex R=r T=t defer (-1): Malformed LMTP reply in response to LHLO mx.example: nonsense"]),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "log"), LMTP)
def test_lmtp(place: MakePlace, answers: list[str], log: list[str], tmp_path: Path) -> None:
    there = place("driver = lmtp\n socket = FOLDER/socket\n batch_max = 10\n timeout = 2s")
    server = LmtpServer(tmp_path / "socket", *answers)
    there.send("a@test.ex", "b@test.ex")
    heard = server.close()
    assert heard.endswith("QUIT\r\n") or "nonsense" in answers
    assert there.log[: len(log)] == log


def test_what_an_lmtp_server_gets(place: MakePlace, tmp_path: Path) -> None:
    there = place("driver = lmtp\n socket = FOLDER/socket\n ignore_quota")
    server = LmtpServer(
        tmp_path / "socket", "220 hi", "250-lhlo\n250 IGNOREQUOTA", "250 mail", "250 a", "354 go", "250 done"
    )
    there.send("a@test.ex", text=b".dot\nend")
    assert server.close() == (
        "LHLO mx.example\r\nMAIL FROM:<s@sender.example>\r\nRCPT TO:<a@test.ex> IGNOREQUOTA\r\nDATA\r\n"
        "Received: here\r\nSubject: test\r\n\r\n..dot\r\nend\r\n.\r\nQUIT\r\n"
    )


def test_no_lmtp_server(place: MakePlace) -> None:
    there = place("driver = lmtp\n socket = FOLDER/socket")
    there.send("a@test.ex")
    assert there.log[0].startswith("== a@test.ex R=r T=t defer (-1): Failed to connect to socket FOLDER/socket for t ")


def test_queuefile(place: MakePlace, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    there = place("driver = queuefile\n directory = FOLDER/copies")
    message_id = there.send("a@test.ex", "b@test.ex")
    assert sorted(path.name for path in (tmp_path / "copies").iterdir()) == [f"{message_id}-D", f"{message_id}-H"]
    assert (tmp_path / "copies" / f"{message_id}-D").read_bytes() == f"{message_id}-D\nbody\n".encode()
    header = (tmp_path / "copies" / f"{message_id}-H").read_text().splitlines()
    assert header[0] == f"{message_id}-H"
    assert header[2] == "<s@sender.example>"
    assert {"a@test.ex", "b@test.ex"} <= set(header)


QUEUE_FAULTS = [
    ("relative", "== a@test.ex R=r T=t defer (-1): t transport directory: relative is not absolute"),
    ("FOLDER/none", "== a@test.ex R=r T=t defer (2): No such file or directory"),
    ("FOLDER/link", "== a@test.ex R=r T=t defer (20): Not a directory"),
]


@pytest.mark.parametrize(("directory", "log"), QUEUE_FAULTS)
def test_queuefile_faults(place: MakePlace, directory: str, log: str, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    there = place(f"driver = queuefile\n directory = {directory}")
    there.send("a@test.ex")
    assert there.log[0].startswith(log), there.log
    assert not list((tmp_path / "target").iterdir())


TAINTED_PATHS = [
    ("autoreply\n to = a@x.ex\n file = FOLDER/$local_part", "(13): Permission denied: Tainted 'FOLDER/a' (file for"),
    (
        "autoreply\n to = a@x.ex\n once = FOLDER/$local_part",
        "(13): Permission denied: Tainted 'FOLDER/a' (once file for",
    ),
    ("autoreply\n to = a@x.ex\n log = FOLDER/$local_part", "(13): Permission denied: Tainted 'FOLDER/a' (logfile for"),
    ("queuefile\n directory = FOLDER/$local_part", "(-1): Tainted 'FOLDER/a' (directory for"),
    ("appendfile\n file = FOLDER/$local_part", "(-1): Tainted 'FOLDER/a' (file or directory name for"),
]


@pytest.mark.parametrize(("transport", "log"), TAINTED_PATHS)
def test_outsiders_do_not_choose_files(place: MakePlace, transport: str, log: str, tmp_path: Path) -> None:
    there = place(f"driver = {transport}")
    there.send("a@test.ex")
    assert there.log[0] == f"== a@test.ex R=r T=t defer {log} t transport) not permitted"
    assert not (tmp_path / "a").exists()


def test_outsiders_do_not_choose_included_files(place: MakePlace, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("b@test.ex\n")
    routers = f"r:\n driver = redirect\n data = :include:{tmp_path}/$local_part\n"
    there = place("driver = pipe\n command = /bin/true", routers=routers)
    there.send("a@test.ex")
    assert "Tainted name" in there.log[0]

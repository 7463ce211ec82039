"""Messages from this machine: as root or the mail user directly, as anybody else through the daemon's socket."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.end_to_end.configurations import MAILDIR
from tests.end_to_end.server import EXIM, Server, running

pytestmark = pytest.mark.slow
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root")

TEXT = "Subject: local\n\nbody\n"
CONFIGURATION = MAILDIR.replace("{away}", "1")


@pytest.fixture
def server() -> Iterator[Server]:
    with running(CONFIGURATION) as running_server:
        (running_server.folder / "users").write_text("alice: alice\n")
        yield running_server


def as_nobody(server: Server, *words: str, text: str = TEXT) -> subprocess.CompletedProcess[str]:
    """Run a command as a user who has no rights."""
    nobody = pwd.getpwnam("nobody")
    return subprocess.run(
        [EXIM, "-C", str(server.config), *words],
        input=text,
        capture_output=True,
        text=True,
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        cwd="/",
        timeout=60,
        check=False,
    )


def test_a_message_on_standard_input(server: Server) -> None:
    server.exim("-odi", "alice@mail.test", text=TEXT)
    assert len(server.mail("alice")) == 1


def test_recipients_from_the_header(server: Server) -> None:
    server.exim("-odi", "-t", text="To: alice@mail.test\nSubject: x\n\nx\n")
    assert "To: alice@mail.test" in server.mail("alice")[0]


@pytest.mark.parametrize(
    ("words", "text", "given"),
    [
        (["alice", "bob@mail.test"], TEXT, "alice bob@mail.test"),
        (["-t"], "To: alice, bob@mail.test\n\nx\n", "alice bob@mail.test"),
    ],
)
def test_the_log_has_the_recipients_as_they_were_given(words: list[str], text: str, given: str) -> None:
    rest = "log_selector = +received_recipients\nbegin rewrite\nbob@mail.test  alice@mail.test\n" + CONFIGURATION
    with running(rest) as server:
        (server.folder / "users").write_text("alice: alice\n")
        server.exim("-odi", *words, text=text)
        assert f" for {given}\n" in server.log()


def test_smtp_on_standard_input(server: Server) -> None:
    dialogue = "EHLO x\nMAIL FROM:<bob@far.test>\nRCPT TO:<alice@mail.test>\nDATA\nSubject: x\n\nx\n.\nQUIT\n"
    output = server.exim("-odi", "-bs", text=dialogue.replace("\n", "\r\n"))
    assert output.count("250 ") >= 4
    assert len(server.mail("alice")) == 1


def test_in_the_background_the_caller_does_not_wait(server: Server) -> None:
    server.exim("-odb", "alice@mail.test", text=TEXT)
    server.wait_for(lambda: server.mail("alice"), "delivery")


def test_only_queued(server: Server) -> None:
    server.exim("-odq", "alice@mail.test", text=TEXT)
    assert server.exim("-bpc") == "1\n"
    assert server.mail("alice") == []


@needs_root
def test_anybody_may_submit_over_the_socket(server: Server) -> None:
    done = as_nobody(server, "alice@mail.test")
    assert (done.returncode, done.stderr) == (0, "")
    server.wait_for(lambda: server.mail("alice"), "delivery")
    assert "<= nobody@mail.test U=nobody P=local" in server.log()


@needs_root
def test_nobody_cannot_be_somebody_else(server: Server) -> None:
    as_nobody(server, "-f", "boss@far.test", "-oMa", "192.0.2.1", "alice@mail.test")
    server.wait_for_log("Completed")
    assert "<= nobody@mail.test U=nobody P=local" in server.log()
    assert "192.0.2.1" not in server.log()


@needs_root
def test_smtp_over_the_socket(server: Server) -> None:
    dialogue = "EHLO x\nMAIL FROM:<boss@far.test>\nRCPT TO:<alice@mail.test>\nDATA\nSubject: x\n\nx\n.\nQUIT\n"
    done = as_nobody(server, "-bs", text=dialogue.replace("\n", "\r\n"))
    assert done.returncode == 0
    assert "221 mail.test closing connection" in done.stdout
    server.wait_for_log("Completed")
    assert "<= nobody@mail.test U=nobody P=local-esmtp" in server.log()


@needs_root
def test_what_goes_wrong_is_told(server: Server) -> None:
    done = as_nobody(server, "-oep", "@")
    assert done.returncode == 1
    assert "bad recipient address" in done.stderr


@needs_root
def test_others_can_neither_look_at_the_queue_nor_change_it(server: Server) -> None:
    for words in (["-bp"], ["-q"], ["-bd"], ["-d", "-bt", "x"]):
        done = as_nobody(server, *words)
        assert done.returncode == 1
        assert "permission denied; not admin" in done.stderr


GARBAGE = [
    b"",
    b"\n",
    b"{}\n",
    b"[1, 2]\n",
    b'{"program": "exim", "words": 3}\n',
    b'{"program": "exim", "words": ["-bd"]}\n',
    b'{"program": "exim", "words": ["-M", "1rYxXx-000000001xy-0abc"]}\n',
    b'{"program": "exim", "words": ["-bs", "-d"]}\n',
    b'{"program": "exim", "words": ["a\\nb"]}\n',
    b'{"program": "exim", "words": ["-be", "x"]}\n',
    b'{"program": "mailq", "words": []}\n',
    b"\xff\x00" * 1000 + b"\n",
    b"x" * 3_000_000,
    b"[" * 500_000 + b"\n",
    b'{"program": "exim", "words": [' + b'"-Mset", "x", ' * 60_000 + b'"x"]}\n',
    b'{"program": "exim", "words": [' + b'"-v", ' * 150_000 + b'"-bd"]}\n',
]


def test_cve_2025_62875_garbage_ends_its_own_connection_only(server: Server) -> None:
    """Nothing that a local user sends stops the daemon, or makes it do more than take messages."""
    for octets in GARBAGE:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(20)
            connection.connect(str(server.folder / "submission"))
            try:
                connection.sendall(octets)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(65536)
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
            assert not answer or json.loads(answer)["status"] == 1
    server.send("alice@mail.test")
    server.wait_for(lambda: server.mail("alice"), "delivery")
    assert "Traceback" not in server.output()


def test_cve_2025_62875_garbage_on_the_control_socket(server: Server) -> None:
    """Nor does what comes over the socket that is for administrators, or a crowd of clients that say nothing."""
    path = str(server.spool / "exim_daemon_notify")
    crowd = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(40)]
    try:
        for silent in crowd:
            silent.connect(path)
        for octets in (b"", b"\n", b"stop\n", b"status", b"\0" * 64, b"\xff\n", b"spill\nspill\n", b"x" * 1_000_000):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(path)  # which waits while others stand in line, as it does not with a time limit
                connection.settimeout(20)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(octets)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(65536)
    finally:
        for silent in crowd:
            silent.close()
    server.wait_for(lambda: answers(server), "an answer")
    server.send("alice@mail.test")
    server.wait_for(lambda: server.mail("alice"), "delivery")
    assert "Traceback" not in server.output()


def answers(server: Server) -> bool:
    """True if the daemon says how it is."""
    try:
        return "pid" in server.status()
    except (OSError, ValueError):
        return False


@needs_root
def test_the_control_socket_is_not_for_everybody(server: Server) -> None:
    path = server.spool / "exim_daemon_notify"
    assert path.stat().st_mode & 0o077 == 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        connection.sendall(b"status\n")
        status = json.loads(connection.recv(65536))
    assert server.daemon is not None
    assert status["pid"] == server.daemon.pid
    assert len(status["workers"]) == 2

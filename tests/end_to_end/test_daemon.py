"""A real daemon on loopback: mail goes in by SMTP and comes out in a Maildir, at another server, or as a bounce."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.end_to_end.configurations import MAILDIR
from tests.end_to_end.server import EXIM, Server, free_port, running

pytestmark = pytest.mark.slow


def configured(away: int = 1) -> str:
    return MAILDIR.replace("{away}", str(away))


def with_users(server: Server) -> Server:
    (server.folder / "users").write_text("alice: alice\nbob: bob\n")
    return server


@pytest.fixture
def server() -> Iterator[Server]:
    with running(configured()) as running_server:
        yield with_users(running_server)


def test_a_message_ends_in_its_maildir(server: Server) -> None:
    server.send("alice@mail.test", "bob@mail.test")
    server.wait_for_log("Completed")
    assert [len(server.mail(box)) for box in ("alice", "bob")] == [1, 1]
    assert "Subject: test" in server.mail("alice")[0]
    assert "=> alice <alice@mail.test> R=here T=maildir" in server.log()


def test_the_log_says_that_it_started(server: Server) -> None:
    assert server.daemon is not None
    what = f"no queue runs, listening for SMTP on [127.0.0.1]:{server.port}"
    assert f"exim 4.99 daemon started: pid={server.daemon.pid}, {what}" in server.log()
    assert (server.folder / "pid").read_text() == f"{server.daemon.pid}\n"


def test_several_messages_on_a_connection(server: Server) -> None:
    with server.client() as client:
        for _ in range(3):
            client.sendmail("sender@far.test", ["alice@mail.test"], "Subject: x\n\nx\n")
    server.wait_for_log("Completed", 3)
    assert len(server.mail("alice")) == 3


def test_what_cannot_be_delivered_is_bounced(server: Server) -> None:
    server.send("unknown@mail.test", sender="bob@mail.test")
    server.wait_for(lambda: server.mail("bob"), "bounce")
    bounce = server.mail("bob")[0]
    assert "no such user here" in bounce
    assert "Content-Type: multipart/report; report-type=delivery-status" in bounce


def test_what_is_deferred_stays_in_the_queue_until_it_is_run(server: Server) -> None:
    server.send("busy@mail.test")
    server.wait_for_log("== busy@mail.test")
    assert "busy@mail.test" in server.exim("-bp")
    assert server.exim("-bpc") == "1\n"
    server.configure(configured().replace(":defer: busy just now", "alice@mail.test"))
    server.exim("-qff")
    assert server.exim("-bpc") == "0\n"
    assert len(server.mail("alice")) == 1


def test_a_message_is_relayed() -> None:
    with running(configured()) as far:
        with_users(far)
        with running(configured(away=far.port)) as near:
            far.configure(configured().replace("domains = mail.test", "domains = far.test"))
            far.signal(signal.SIGHUP)
            far.wait_for_log("daemon started", 2)
            near.send("alice@far.test")
            near.wait_for_log("Completed")
            far.wait_for_log("Completed")
            assert "=> alice@far.test R=away T=smtp H=127.0.0.1 [127.0.0.1]" in near.log()
            assert len(far.mail("alice")) == 1


def test_a_reload_keeps_the_session_and_uses_the_new_configuration(server: Server) -> None:
    client = server.client()
    client.ehlo()
    server.config.write_text(server.config.read_text().replace("acl_smtp_rcpt = accept", "acl_smtp_rcpt = deny"))
    server.signal(signal.SIGHUP)
    server.wait_for_log("daemon started", 2)
    assert client.sendmail("sender@far.test", ["alice@mail.test"], "Subject: x\n\nx\n") == {}
    with server.client() as other, pytest.raises(smtplib.SMTPRecipientsRefused):
        other.sendmail("sender@far.test", ["alice@mail.test"], "Subject: x\n\nx\n")
    client.quit()
    server.wait_for_log("Completed")


def test_a_faulty_configuration_is_not_taken(server: Server) -> None:
    server.config.write_text("nonsense\n" + server.config.read_text())
    server.signal(signal.SIGHUP)
    server.wait_for_log("the daemon keeps its old configuration")
    assert 'main option "nonsense" unknown' in server.log()
    server.send("alice@mail.test")
    server.wait_for(lambda: server.mail("alice"), "delivery")


def test_a_stopped_daemon_leaves_nothing_in_its_journal(server: Server) -> None:
    server.send("busy@mail.test")
    assert server.stop() == 0
    assert not (server.folder / "pid").exists()
    assert server.exim("-bpc") == "1\n"


def test_a_worker_that_is_killed_is_replaced(server: Server) -> None:
    for pid in _workers(server):
        os.kill(pid, signal.SIGKILL)
    server.wait_for_log("ended unexpectedly (signal 9); another takes its place", 2)
    server.send("alice@mail.test")
    server.wait_for(lambda: server.mail("alice"), "delivery")


def _workers(server: Server) -> list[int]:
    """The workers' process ids, as the daemon tells them."""
    return [worker["pid"] for worker in server.status()["workers"] if not worker["retired"]]


def _children(server: Server) -> set[int]:
    """All processes that the daemon's first process has started and that still live."""
    assert server.daemon is not None
    path = f"/proc/{server.daemon.pid}/task/{server.daemon.pid}/children"
    with open(path) as file:
        return set(map(int, file.read().split()))


def test_connections_are_limited_over_all_workers() -> None:
    with running("smtp_accept_max = 3\n" + configured()) as server:
        clients = [server.client() for _ in range(3)]
        with pytest.raises(smtplib.SMTPConnectError) as caught:
            server.client()
        assert caught.value.smtp_code == 421
        assert "Too many concurrent SMTP connections" in str(caught.value.smtp_error)
        for client in clients:
            client.quit()
        server.wait_for(lambda: _connects(server), "room again")


def _connects(server: Server) -> bool:
    try:
        server.client().quit()
    except smtplib.SMTPConnectError:
        return False
    return True


def test_connections_of_one_host_are_limited() -> None:
    with running("smtp_accept_max_per_host = 1\n" + configured()) as server:
        with server.client(), pytest.raises(smtplib.SMTPConnectError) as caught:
            server.client()
        assert "from this IP address" in str(caught.value.smtp_error)
        server.wait_for_log("refused: too many connections from that IP address")


def test_periodic_queue_runs() -> None:
    with running(configured(), "-q1s") as server:
        with_users(server)
        server.exim("-odq", "alice@mail.test", text="Subject: x\n\nx\n")
        server.wait_for_log("Completed")
        assert "Start queue run: pid=" in server.log()


def test_a_port_in_use_ends_the_daemon() -> None:
    with running("daemon_startup_retries = 0\n" + configured()) as server:
        server.exim("-bdf", "-oX", f"127.0.0.1.{server.port}", status=1)
        assert "daemon abandoned" in server.log()


def test_what_a_killed_worker_held_is_found_again(server: Server) -> None:
    server.send("busy@mail.test", "alice@mail.test")
    server.wait_for_log("== busy@mail.test")
    for pid in _workers(server):
        os.kill(pid, signal.SIGKILL)
    server.wait_for_log("another takes its place", 2)
    assert server.exim("-bpc") == "1\n"
    server.configure(configured().replace(":defer: busy just now", "bob@mail.test"))
    server.exim("-qff")
    assert len(server.mail("bob")) == 1
    assert len(server.mail("alice")) in (1, 2)  # that she had it may not have been on disk yet


def test_without_its_agent_the_daemon_starts_afresh(server: Server) -> None:
    workers = _workers(server)
    for pid in _children(server) - set(workers):
        os.kill(pid, signal.SIGKILL)
    server.wait_for_log("local agent ended unexpectedly")
    server.wait_for(lambda: set(_workers(server)).isdisjoint(workers), "new workers")
    server.send("alice@mail.test")
    server.wait_for(lambda: server.mail("alice"), "delivery")


def test_in_the_background(server: Server) -> None:
    port = free_port()
    server.exim("-bd", "-oX", f"127.0.0.1.{port}", "-oP", str(server.folder / "other-pid"))
    server.wait_for(lambda: (server.folder / "other-pid").exists(), "the other daemon")
    pid = int((server.folder / "other-pid").read_text())
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.sendmail("sender@far.test", ["alice@mail.test"], "Subject: x\n\nx\n")
        server.wait_for(lambda: server.mail("alice"), "delivery")
    finally:
        os.kill(pid, signal.SIGTERM)
    server.wait_for(lambda: not (server.folder / "other-pid").exists(), "its end")


def test_a_listening_socket_from_inetd(server: Server) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with subprocess.Popen([EXIM, "-C", str(server.config), "-bw2s"], stdin=listening.fileno()) as daemon:
            host, port = listening.getsockname()
            with smtplib.SMTP(host, port, timeout=20) as client:
                client.sendmail("sender@far.test", ["alice@mail.test"], "Subject: x\n\nx\n")
            server.wait_for(lambda: server.mail("alice"), "delivery")
            assert daemon.wait(20) == 0
    assert "launched with listening socket, terminating after 2 seconds" in server.log()


def test_named_queues_are_run_by_name() -> None:
    rest = "acl_smtp_mail = queue_it\nbegin acl\nqueue_it:\n  accept queue = slow\n         control = queue\n"
    with running(rest + configured(), "-qGslow/1s") as server:
        with_users(server)
        server.send("alice@mail.test")
        server.wait_for(lambda: server.mail("alice"), "delivery")
        assert "Start 'slow' queue run: pid=" in server.log()

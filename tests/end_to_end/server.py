"""A whole server for tests: a folder with a configuration, a spool and mailboxes, and a daemon on loopback."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

EXIM = shutil.which("exim", path=os.path.dirname(sys.executable)) or "exim"
PATIENCE = 20.0  # seconds that anything may take on a busy machine

MAIN = """\
exim_user = {user}
exim_group = {group}
never_users =
keep_environment =
primary_hostname = mail.test
spool_directory = {folder}/spool
local_submission_socket = {folder}/submission
local_interfaces = 127.0.0.1.{port}
daemon_workers = 2
acl_smtp_rcpt = accept
acl_smtp_data = accept
"""


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def mail_user() -> tuple[str, str]:
    """User and group that the server is to run as: this user, or for root one of those that the system has."""
    uid = os.getuid() or pwd.getpwnam("mail").pw_uid
    account = pwd.getpwuid(uid)
    return account.pw_name, grp.getgrgid(account.pw_gid).gr_name


class Server:
    """The folder, and what can be done with it. `rest` is the configuration after the main options that all need."""

    def __init__(self, rest: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="eximious-test-"))
        self.user, self.group = mail_user()
        self.folder.chmod(0o755)
        self.port = free_port()
        self.config = self.folder / "exim.conf"
        self.daemon: subprocess.Popen[bytes] | None = None
        self.mailboxes = self.folder / "mail"
        self.mailboxes.mkdir()
        self.spool = self.folder / "spool"
        self.spool.mkdir()
        if os.getuid() == 0:
            for path in (self.mailboxes, self.spool):
                shutil.chown(path, self.user, self.group)
        self.configure(rest)

    def configure(self, rest: str) -> None:
        """Write the configuration."""
        values = {"user": self.user, "group": self.group, "folder": self.folder, "port": self.port}
        tls = "" if "tls_advertise_hosts" in rest else "tls_advertise_hosts =\n"
        text = MAIN + tls + rest
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        self.config.write_text(text)

    # The daemon.

    def start(self, *options: str) -> None:
        """Start the daemon and wait until it listens."""
        command = [EXIM, "-C", str(self.config), "-bdf", "-oP", str(self.folder / "pid"), *options]
        with open(self.folder / "daemon.out", "ab") as output:
            self.daemon = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self.wait_for(lambda: (self.folder / "pid").exists() or self.daemon_has_ended(), "daemon ready")
        assert not self.daemon_has_ended(), self.output()

    def daemon_has_ended(self) -> bool:
        """True if the daemon is not there any more."""
        return self.daemon is None or self.daemon.poll() is not None

    def output(self) -> str:
        """What the daemon has written to its standard output and error, and to the panic log."""
        text = (self.folder / "daemon.out").read_text()
        with contextlib.suppress(FileNotFoundError):
            text += (self.spool / "log" / "paniclog").read_text()
        return text

    def signal(self, number: int) -> None:
        """Send a signal to the daemon's first process."""
        assert self.daemon is not None
        self.daemon.send_signal(number)

    def stop(self) -> int:
        """Stop the daemon in order; its exit status."""
        if self.daemon is None:
            return 0
        self.daemon.terminate()
        status = self.daemon.wait(PATIENCE)
        self.daemon = None
        return status

    def kill(self) -> None:
        """Kill every process of the daemon at once, as a crash of the machine would."""
        assert self.daemon is not None
        os.killpg(self.daemon.pid, signal.SIGKILL)
        self.daemon.wait(PATIENCE)
        self.daemon = None
        (self.folder / "pid").unlink(missing_ok=True)

    def close(self) -> None:
        """Stop everything and remove the folder."""
        if self.daemon is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.daemon.pid, signal.SIGKILL)
            self.daemon.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)

    # Using it.

    def exim(self, *words: str, text: str = "", status: int | None = 0) -> str:
        """Run a command; its standard output."""
        done = subprocess.run(
            [EXIM, "-C", str(self.config), *words], input=text, capture_output=True, text=True, timeout=60, check=False
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        """What the daemon says of itself."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self.spool / "exim_daemon_notify"))
            connection.sendall(b"status\n")
            status: dict[str, Any] = json.loads(connection.recv(65536))
            return status

    def client(self) -> smtplib.SMTP:
        """A connection to the daemon."""
        return smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE)

    def send(self, *recipients: str, sender: str = "sender@far.test", text: str = "Subject: test\n\nbody\n") -> None:
        """Send a message over SMTP."""
        with self.client() as client:
            client.sendmail(sender, recipients, text)

    def log(self, name: str = "mainlog") -> str:
        """A log so far."""
        try:
            return (self.spool / "log" / name).read_text()
        except FileNotFoundError:
            return ""

    def mail(self, box: str) -> list[str]:
        """The messages in a Maildir."""
        folder = self.mailboxes / box / "new"
        return [path.read_text() for path in sorted(folder.iterdir())] if folder.is_dir() else []

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait until it is true."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"{what}: {self.log()[-2000:]}{self.output()[-2000:]}"
            time.sleep(0.01)

    def wait_for_log(self, text: str, times: int = 1, log: str = "mainlog") -> None:
        """Wait until a log has the text so many times."""
        self.wait_for(lambda: self.log(log).count(text) >= times, text)


@contextlib.contextmanager
def running(rest: str, *options: str) -> Iterator[Server]:
    """A server whose daemon runs; all of it is gone afterwards."""
    server = Server(rest)
    try:
        server.start(*options)
        yield server
    finally:
        server.close()

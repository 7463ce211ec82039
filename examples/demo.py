"""The main job of a mail server, to watch: five messages, and what becomes of each.

Two servers run on loopback, on ports that happen to be free, below a temporary folder that is removed in the end (or kept
with --keep). The configurations are in examples/demo. Run it with scripts/demo.
"""

from __future__ import annotations

import argparse
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
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from pathlib import Path

HERE = Path(__file__).resolve().parent
COLOURS = {"head": "1", "good": "32", "bad": "31", "dim": "2"}


def say(text: str = "", style: str = "", indent: int = 0) -> None:
    """Print a line, in colour where a terminal can show it."""
    if style and sys.stdout.isatty():
        text = f"\033[{COLOURS[style]}m{text}\033[0m"
    print(" " * indent + text, flush=True)


def show(title: str, text: str) -> None:
    """Print a few lines of evidence."""
    say(title, "dim", 4)
    for line in text.rstrip("\n").splitlines():
        say(line, "", 8)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something has come about; ends the demonstration if it does not."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise SystemExit(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.05)


class Instance:
    """A running server."""

    def __init__(self, base: Path, name: str, configuration: str, macros: dict[str, object]) -> None:
        self.name = name
        self.folder = base / name
        self.port = int(str(macros["LISTEN_PORT"]))
        exim = shutil.which("exim", path=f"{os.environ.get('EXIMIOUS_BIN', '')}:{os.environ['PATH']}")
        if exim is None:
            raise SystemExit("no exim command: run this through scripts/demo")
        run_as, deliver_as = identity()
        macros = {"BASE": base, "CONFIGURATION": HERE / "demo", "NAME": name, **macros}
        definitions = [f"{key}={value}" for key, value in macros.items()]
        # What depends on who runs the demonstration stands in the file itself.
        text = (HERE / "demo" / configuration).read_text()
        text = text.replace("RUN_AS", run_as).replace("DELIVER_AS", deliver_as)
        self.configuration = base / f"{name}.conf"
        self.configuration.write_text("\n".join(line.replace("=", " = ", 1) for line in definitions) + "\n" + text)
        self.command = [exim, "-C", str(self.configuration)]
        self.process: subprocess.Popen[bytes] | None = None
        self.folder.mkdir()
        if os.getuid() == 0:
            mail = pwd.getpwnam("mail")
            os.chown(self.folder, mail.pw_uid, mail.pw_gid)

    def start(self) -> None:
        self.process = subprocess.Popen([*self.command, "-bdf"], stdin=subprocess.DEVNULL)

        def answers() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended with status {self.process.returncode}")
            try:
                with smtplib.SMTP("127.0.0.1", self.port, local_hostname="laptop.example") as probe:
                    return probe.noop()[0] == 250
            except OSError:
                return False

        until(f"{self.name} answers on port {self.port}", answers)
        say(f"{self.name} listens on 127.0.0.1:{self.port}", "dim", 4)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)

    def run(self, *arguments: str) -> str:
        """The output of this server's exim command."""
        return subprocess.run([*self.command, *arguments], capture_output=True, text=True, check=False).stdout

    def log(self, words: str = "") -> str:
        """The lines of the main log with these words."""
        path = self.folder / "log" / "mainlog"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(line for line in text.splitlines() if words in line)

    def delivered(self, box: str = "") -> list[Message]:
        """The messages in a Maildir, oldest first."""
        new = self.folder / "mail" / box / "new"
        paths = sorted(new.iterdir(), key=lambda path: path.stat().st_mtime) if new.exists() else []
        return [message_from_bytes(path.read_bytes()) for path in paths]


def identity() -> tuple[str, str]:
    """The settings that say as whom the server runs and delivers: root hands over to "mail", others stay themselves."""
    if os.getuid() == 0:
        return "exim_user = mail\nexim_group = mail", "user = mail\n  group = mail"
    return f"exim_user = {os.getuid()}\nexim_group = {os.getgid()}", ""


def send(port: int, sender: str, recipient: str, subject: str) -> str:
    """Send one message, with swaks if it is there; gives what the server said in the end."""
    text = f"From: {sender}\nTo: {recipient}\nSubject: {subject}\n\nHello from the demonstration.\n"
    swaks = shutil.which("swaks")
    if swaks:
        command = [swaks, "--server", "127.0.0.1", "--port", str(port), "--helo", "laptop.example", "--from", sender]
        command += ["--to", recipient, "--data", text]
        output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        answers = [line for line in output.splitlines() if line.startswith(("<- ", "<-  ", "<** "))]
        return next((line[4:] for line in reversed(answers) if not line.startswith("<-  221")), "no answer").strip()
    try:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="laptop.example") as client:
            client.ehlo_or_helo_if_needed()
            for verb, argument in (("MAIL", f"FROM:<{sender}>"), ("RCPT", f"TO:<{recipient}>")):
                code, reply = client.docmd(verb, argument)
                if code >= 400:
                    return f"{code} {reply.decode('latin-1')}"
            code, reply = client.data(text)
            return f"{code} {reply.decode('latin-1')}"
    except smtplib.SMTPException as error:
        return str(error)


def delivered_to_maildir(home: Instance) -> None:
    say("1. A message for a mailbox here", "head")
    say("alice has an alias, info@home.example, and a Maildir.", "", 4)
    say("server: " + send(home.port, "you@laptop.example", "info@home.example", "to a Maildir"), "good", 4)
    until("the message is in the Maildir", lambda: len(home.delivered("alice")) == 1)
    show("in alice's Maildir:", "\n".join(f"{k}: {v}" for k, v in home.delivered("alice")[0].items()))
    until("the log says so", lambda: bool(home.log("Completed")))
    show("the main log:", home.log())


def relayed(home: Instance, partner: Instance) -> None:
    say("2. A message for another server", "head")
    say("server: " + send(home.port, "you@laptop.example", "bob@partner.example", "to be relayed"), "good", 4)
    until("the message is at the other server", lambda: len(partner.delivered()) == 1)
    until("the log says so", lambda: bool(home.log("=> bob@partner.example")))
    show("the main log here:", home.log("bob@partner.example"))
    show("the main log there:", partner.log("bob"))


def refused(home: Instance) -> None:
    say("3. A message that an access control list refuses", "head")
    say("server: " + send(home.port, "offers@spam.example", "alice@home.example", "buy"), "bad", 4)
    show("the main log:", home.log("rejected"))


def queued_then_delivered(home: Instance, far: Instance) -> None:
    say("4. A message for a server that is down", "head")
    say("server: " + send(home.port, "you@laptop.example", "carol@far.example", "please wait"), "good", 4)
    until("the delivery is deferred", lambda: bool(home.log("== carol@far.example")))
    show("the main log:", home.log("== carol@far.example"))
    show("the queue (exim -bp):", home.run("-bp"))
    say("Now the server comes up, and the queue is run (exim -qf).", "", 4)
    far.start()
    home.run("-qf")
    until("the message is there", lambda: len(far.delivered()) == 1)
    until("the log says so", lambda: bool(home.log("=> carol@far.example")))
    show("the main log:", home.log("=> carol@far.example"))
    show("messages in the queue (exim -bpc):", home.run("-bpc"))


def bounced(home: Instance) -> None:
    say("5. A message that comes back", "head")
    say("server: " + send(home.port, "alice@home.example", "nobody@partner.example", "hello?"), "good", 4)
    until("the bounce is in alice's Maildir", lambda: len(home.delivered("alice")) == 2)
    show("the main log:", home.log("** nobody@partner.example"))
    bounce = home.delivered("alice")[1]
    show("the bounce:", "\n".join(f"{key}: {bounce[key]}" for key in ("From", "To", "Subject", "Content-Type")))
    for part in bounce.walk():
        if part.get_content_type() == "message/delivery-status":
            show("its delivery-status part:", "\n\n".join(str(block).strip() for block in part.get_payload()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="keep spools, logs and mailboxes for a look afterwards")
    arguments = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="eximious-demo-"))
    base.chmod(0o755)
    partner_port, far_port = free_port(), free_port()
    ports = {"LISTEN_PORT": free_port(), "PARTNER_PORT": partner_port, "FAR_PORT": far_port}
    home = Instance(base, "home", "home.conf", ports)
    partner = Instance(base, "partner", "partner.conf", {"LISTEN_PORT": partner_port})
    far = Instance(base, "far", "partner.conf", {"LISTEN_PORT": far_port})
    try:
        say("Two servers are started", "head")
        home.start()
        partner.start()
        delivered_to_maildir(home)
        relayed(home, partner)
        refused(home)
        queued_then_delivered(home, far)
        bounced(home)
    finally:
        for instance in (home, partner, far):
            instance.stop()
        if not arguments.keep:
            shutil.rmtree(base)
    say()
    say("All five went as they should. What to try next:", "head")
    say("scripts/demo --keep             look at spools, logs and mailboxes afterwards", "", 4)
    say("exim -C YOUR.conf -bt ADDRESS   how your own configuration would route an address", "", 4)
    say("exim -C YOUR.conf -be '${lc:A}' the expansion language", "", 4)
    say("eximious check YOUR.conf        what is wrong in a configuration, all at once", "", 4)
    say("README.md                       the five-minute tour", "", 4)
    if arguments.keep:
        say(f"Kept: {base}", "dim", 4)


if __name__ == "__main__":
    main()

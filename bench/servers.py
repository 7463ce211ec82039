"""The mail servers that the benchmark compares, each started with the same task on a port of its own.

Exim and Eximious read the same configuration file. Exim and Postfix are Debian's packages in folders of their own (see
scripts/reference) and run there with chroot.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from meter import ControlGroup

USERS = 10
FIRST_UID = 6000

EXIM_CONFIGURATION = """\
primary_hostname = bench.example
USER_AND_GROUP
never_users =
keep_environment =
spool_directory = SPOOL
log_file_path = LOGS/%slog
pid_file_path = SPOOL/daemon.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = PORT
tls_advertise_hosts =
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
acl_smtp_rcpt = check_rcpt
domainlist relayed = bench.test
hostlist clients = 127.0.0.1

begin acl
check_rcpt:
  deny local_parts = ^.*[@%!/|]
       message = restricted characters in address
  accept hosts = +clients
  accept domains = +relayed

begin routers
ROUTERS

begin transports
relay:
  driver = smtp
  port = SINK_PORT
  hosts_try_fastopen =
  hosts_try_prdr =
mailbox:
  driver = appendfile
  maildir_format
  directory = MAIL/${extract{1}{ }{$local_part_data}}
  user = ${extract{2}{ }{$local_part_data}}
  group = mail

begin retry
* * F,1h,1m
"""

ROUTERS = {
    "discard": "discarded:\n  driver = redirect\n  data = :blackhole:\n",
    "relay": "relayed:\n  driver = manualroute\n  transport = relay\n  route_list = * 127.0.0.1\n  self = send\n",
    "maildir": "mailbox:\n  driver = accept\n  local_parts = lsearch;USERS_FILE\n  transport = mailbox\n",
}


class Server:
    """One server with one task ("discard", "relay" or "maildir")."""

    name = ""
    done_mark = b" Completed"

    def __init__(self, base: Path, task: str, port: int, sink_port: int) -> None:
        self.base = base  # as this process sees it
        self.inside = base  # as the server sees it
        self.task = task
        self.port = port
        self.sink_port = sink_port
        self.process: subprocess.Popen[bytes] | None = None
        self.group = ControlGroup(self.name)
        self.log_offset = 0
        self.log_done = 0

    @property
    def log(self) -> Path:
        return self.base / "log" / "mainlog"

    def prepare(self) -> None:
        """Empty folders and the configuration."""
        shutil.rmtree(self.base, ignore_errors=True)
        for folder in ("spool", "log", "mail"):
            (self.base / folder).mkdir(parents=True)
        users = self.base / "users"
        users.write_text("".join(f"user{n}: user{n} {FIRST_UID + n}\n" for n in range(USERS)))
        for number in range(USERS):
            box = self.base / "mail" / f"user{number}"
            box.mkdir()
            os.chown(box, FIRST_UID + number, 8)
        (self.base / "mail").chmod(0o755)

    def start(self) -> None:
        raise NotImplementedError

    def launch(self, command: list[str]) -> None:
        """Start the server's first process in the control group."""
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=self.group.enter,
        )  # fmt: skip

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)
            self.process = None
        self.group.end()

    def completed(self) -> int:
        """Messages that the server has finished with since it was started."""
        if self.log.exists():
            with self.log.open("rb") as log:
                log.seek(self.log_offset)
                text = log.read()
            whole = text.rfind(b"\n") + 1
            self.log_done += text[:whole].count(self.done_mark)
            self.log_offset += whole
        return self.log_done


class EximLike(Server):
    """What reads an Exim configuration."""

    user_and_group = ""
    accounts = Path("/etc/passwd")
    user = "mail"

    @property
    def configuration(self) -> Path:
        """As this process sees it."""
        return self.base / "exim.conf"

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        entries = [line.split(":") for line in self.accounts.read_text().splitlines()]
        uid, gid = next((int(entry[2]), int(entry[3])) for entry in entries if entry[0] == self.user)
        for folder in ("spool", "log"):
            os.chown(self.base / folder, uid, gid)
        values = {
            "USER_AND_GROUP": self.user_and_group,
            "SPOOL": str(self.inside / "spool"),
            "LOGS": str(self.inside / "log"),
            "MAIL": str(self.inside / "mail"),
            "USERS_FILE": str(self.inside / "users"),
            "SINK_PORT": str(self.sink_port),
            "PORT": str(self.port),
        }
        text = EXIM_CONFIGURATION.replace("ROUTERS", ROUTERS[self.task])
        for key, value in values.items():
            text = text.replace(key, value)
        self.configuration.write_text(text)
        self.launch(self.command())


class Eximious(EximLike):
    """This program, as installed beside the running interpreter."""

    name = "Eximious"
    user_and_group = "exim_user = mail\nexim_group = mail"

    def command(self) -> list[str]:
        exim = shutil.which("exim", path=os.environ.get("EXIMIOUS_BIN", os.defpath)) or "exim"
        return [exim, "-C", str(self.configuration), "-bdf"]


class Exim(EximLike):
    """Debian's Exim."""

    name = "Exim"
    user = "Debian-exim"

    def __init__(self, root: Path, task: str, port: int, sink_port: int) -> None:
        super().__init__(root / "bench", task, port, sink_port)
        self.root = root
        self.inside = Path("/bench")
        self.accounts = root / "etc/passwd"

    @property
    def configuration(self) -> Path:
        """The file it looks for by itself: with another, its processes would drop their privileges."""
        return self.root / "etc/exim4/exim4.conf"

    def command(self) -> list[str]:
        return ["chroot", str(self.root), "/usr/sbin/exim4", "-bdf"]


class Postfix(Server):
    """Debian's Postfix."""

    name = "Postfix"
    done_mark = b": removed"

    def __init__(self, root: Path, task: str, port: int, sink_port: int) -> None:
        super().__init__(root / "bench", task, port, sink_port)
        self.root = root
        self.inside = Path("/bench")

    def start(self) -> None:
        etc = self.root / "etc/postfix"
        settings = {
            "compatibility_level": "3.6",
            "maillog_file": "/bench/log/mainlog",
            "maillog_file_prefixes": "/bench",
            "myhostname": "bench.example",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "smtp_host_lookup": "native",
            "disable_dns_lookups": "yes",
            "smtpd_client_connection_count_limit": "0",
            "alias_maps": "",
            "smtp_tls_security_level": "none",
            "smtpd_tls_security_level": "none",
        }
        if self.task == "discard":
            settings["transport_maps"] = "static:discard:"
        elif self.task == "relay":
            settings["transport_maps"] = f"static:smtp:[127.0.0.1]:{self.sink_port}"
        else:
            settings |= {
                "virtual_mailbox_domains": "bench.test",
                "virtual_mailbox_base": "/bench/mail",
                "virtual_mailbox_maps": "texthash:/bench/boxes",
                "virtual_uid_maps": "texthash:/bench/uids",
                "virtual_gid_maps": "static:8",
            }
            names = [(f"user{n}", FIRST_UID + n) for n in range(USERS)]
            (self.base / "boxes").write_text("".join(f"{name}@bench.test {name}/\n" for name, _ in names))
            (self.base / "uids").write_text("".join(f"{name}@bench.test {uid}\n" for name, uid in names))
        (etc / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
        services = []
        for line in (self.root / "usr/share/postfix/master.cf.dist").read_text().splitlines():
            words = line.split()
            if line[:1].isalpha() and len(words) > 4:
                words[4] = "n"  # no chroot inside the chroot
                if words[0] == "smtp" and words[1] == "inet":
                    words[0] = str(self.port)
                line = " ".join(words)
            services.append(line)
        (etc / "master.cf").write_text("\n".join(services) + "\n")
        self.launch(["chroot", str(self.root), "/usr/sbin/postfix", "start-fg"])

    def stop(self) -> None:
        subprocess.run(["chroot", str(self.root), "/usr/sbin/postfix", "stop"], check=False, capture_output=True)
        super().stop()


def wait_for_port(port: int, seconds: float = 30.0) -> None:
    """Return when something answers on the loopback port; raises TimeoutError."""
    import socket

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                if connection.recv(3) == b"220":
                    connection.sendall(b"QUIT\r\n")
                    connection.recv(100)
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"nothing answers on port {port}")

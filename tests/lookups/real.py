"""Real servers for tests, where they are installed: each on a port or socket of its own, with its data in a folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

START_SECONDS = 30.0  # for a server to answer

_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").exists() else []
HAS_POSTGRES = bool(_POSTGRES) and (_POSTGRES[-1] / "initdb").exists()
_MARIADB = shutil.which("mariadbd", path="/usr/sbin:/usr/bin:/usr/libexec")
HAS_MARIADB = _MARIADB is not None and all(map(shutil.which, ("mariadb-install-db", "my_print_defaults")))
_SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/lib/openldap:/usr/bin")
HAS_SLAPD = _SLAPD is not None and Path("/etc/ldap/schema/core.schema").exists()
HAS_REDIS = shutil.which("redis-server") is not None and shutil.which("redis-cli") is not None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def folder(prefix: str) -> Iterator[Path]:
    """A folder whose name is short enough for sockets in it."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running(command: list[str], is_ready: Callable[[], bool], user: str | None = None) -> Iterator[None]:
    """A server as long as the block lasts."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user)
    try:
        end = time.monotonic() + START_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} does not start")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
        process.wait(5)


def answers(port: int) -> Callable[[], bool]:
    """A test whether somebody listens on the port."""

    def is_ready() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    return is_ready


@contextmanager
def postgres() -> Iterator[int]:
    """The port of a PostgreSQL server with the superuser postgres, password "pw"."""
    user = "postgres" if os.geteuid() == 0 else None
    with folder("pg-") as path:
        if user is not None:
            shutil.chown(path, user)
        (path / "password").write_text("pw\n")
        (path / "password").chmod(0o644)
        initdb = [str(_POSTGRES[-1] / "initdb"), "-D", str(path / "data"), "-U", "postgres", "-A", "scram-sha-256"]
        initdb += ["--pwfile", str(path / "password"), "--no-sync", "-E", "UTF8", "--locale", "C"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, user=user)
        port = free_port()
        command = [str(_POSTGRES[-1] / "postgres"), "-D", str(path / "data"), "-p", str(port), "-k", str(path), "-F"]
        asking = [str(_POSTGRES[-1] / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        with running(command, lambda: subprocess.run(asking).returncode == 0, user):
            yield port


@contextmanager
def mariadb() -> Iterator[int]:
    """The port of a MariaDB server with the user u, password "pw", and the database mail."""
    assert _MARIADB is not None
    import pwd

    me = pwd.getpwuid(os.geteuid()).pw_name
    with folder("my-") as path:
        data = ["--no-defaults", f"--datadir={path}/data", f"--user={me}"]
        install = ["mariadb-install-db", *data, "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (path / "init").write_text(
            "create database mail;\ncreate user u@localhost identified by 'pw';\ngrant all on mail.* to u@localhost;\n"
        )
        port = free_port()
        command = [_MARIADB, *data, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={path}/s"]
        command += [f"--pid-file={path}/pid", f"--init-file={path}/init", "--innodb-flush-log-at-trx-commit=0"]
        with running(command, answers(port)):
            yield port


SLAPD_CONFIGURATION = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {0}/pid
TLSCACertificateFile {1}/ca.pem
TLSCertificateFile {1}/server.pem
TLSCertificateKeyFile {1}/server.pem
TLSVerifyClient try
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "o=base"
rootdn "cn=manager,o=base"
rootpw secret
directory {0}/db
"""


class Directory(NamedTuple):
    """An OpenLDAP server: its ports, without and with TLS, and its socket."""

    port: int
    tls_port: int
    socket: Path


@contextmanager
def slapd(entries: str, certificates: Path) -> Iterator[Directory]:
    """A server with these entries (LDIF, with ``{0}`` for its port) below o=base, and the certificates of tests."""
    assert _SLAPD is not None
    with folder("ld-") as path:
        (path / "db").mkdir()
        found = Directory(free_port(), free_port(), path / "s")
        (path / "slapd.conf").write_text(SLAPD_CONFIGURATION.format(path, certificates))
        (path / "entries").write_text(entries.replace("{0}", str(found.port)))
        slapadd = Path(_SLAPD).with_name("slapadd")
        subprocess.run(
            [str(slapadd), "-q", "-f", str(path / "slapd.conf"), "-l", str(path / "entries")], check=True,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        urls = f"ldap://127.0.0.1:{found.port}/ ldaps://127.0.0.1:{found.tls_port}/"
        urls += f" ldapi://{str(found.socket).replace('/', '%2F')}/"
        with running([_SLAPD, "-f", str(path / "slapd.conf"), "-h", urls, "-d", "0"], answers(found.port)):
            yield found


class RedisPlaces(NamedTuple):
    """A Redis server: its ports, without and with TLS, and its socket."""

    port: int
    tls_port: int
    socket: Path


@contextmanager
def redis(certificates: Path) -> Iterator[RedisPlaces]:
    """A server with the password "secret", the user "mail" with the password "pw" who may only read, and TLS."""
    with folder("rd-") as path:
        found = RedisPlaces(free_port(), free_port(), path / "s")
        (path / "redis.conf").write_text(
            f"port {found.port}\ntls-port {found.tls_port}\nbind 127.0.0.1\nunixsocket {found.socket}\n"
            f"tls-ca-cert-file {certificates}/ca.pem\ntls-cert-file {certificates}/server.pem\n"
            f"tls-key-file {certificates}/server.pem\ntls-auth-clients optional\n"
            f'requirepass secret\nuser mail on >pw ~* +get +select\nsave ""\ndir {path}\n'
        )
        with running(["redis-server", str(path / "redis.conf")], answers(found.port)):
            yield found


def _redis_cli(port: int, *words: str) -> str:
    return subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True).stdout


def _wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + START_SECONDS
    while not is_so() and time.monotonic() < end:
        time.sleep(0.1)


@contextmanager
def redis_cluster() -> Iterator[list[int]]:
    """The ports of the three members of a cluster."""
    with folder("rd-") as path:
        ports = [free_port() for _ in range(3)]

        def start(left: list[int]) -> Iterator[list[int]]:
            if not left:
                members = [f"127.0.0.1:{port}" for port in ports]
                create = ["redis-cli", "--cluster", "create", *members, "--cluster-yes"]
                subprocess.run(create, check=True, stdout=subprocess.DEVNULL)
                _wait_until(lambda: all("cluster_state:ok" in _redis_cli(port, "cluster", "info") for port in ports))
                yield ports
                return
            port = left[0]
            home = path / str(port)
            home.mkdir()
            command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)]
            command += ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
            with running(command, answers(port)):
                yield from start(left[1:])

        yield from start(ports)

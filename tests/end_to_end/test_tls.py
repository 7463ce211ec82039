"""TLS between a real daemon and clients that get it wrong, or are not who they should be."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.server import PATIENCE, Server, running
from tests.tls.authority import Files

pytestmark = pytest.mark.slow

DISCARD = """
begin routers
gone:
  driver = redirect
  data = :blackhole:
"""


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:
        with contextlib.suppress(PermissionError):
            parent.chmod(0o755)
    return made


@contextlib.contextmanager
def running_with(files: Files, options: str) -> Iterator[Server]:
    certificate = files["server.pem"]
    Path(certificate).chmod(0o644)
    with running(f"tls_advertise_hosts = *\ntls_certificate = {certificate}\n{options}{DISCARD}") as server:
        yield server


class Client:
    """Speaks SMTP a line at a time, with TLS when asked."""

    def __init__(self, server: Server) -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        self.file = self.socket.makefile("rb")
        self.reply()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def reply(self) -> bytes:
        while True:
            line: bytes = self.file.readline()
            if line[3:4] != b"-":
                return line

    def ask(self, command: str) -> bytes:
        self.socket.sendall(command.encode() + b"\r\n")
        return self.reply()

    def start_tls(self, name: str | None = None) -> ssl.SSLSocket:
        """Shake hands, up to TLS 1.2: there a server that refuses the client says so before the handshake is over."""
        self.ask("EHLO client")
        assert self.ask("STARTTLS").startswith(b"220 ")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        duplicate = socket.socket(fileno=self.socket.detach())
        try:
            self.socket = context.wrap_socket(duplicate, server_hostname=name, suppress_ragged_eofs=False)
        except ssl.SSLError:
            self.socket = duplicate
            raise
        self.file = self.socket.makefile("rb")
        assert isinstance(self.socket, ssl.SSLSocket)
        return self.socket


def test_after_a_failed_handshake_everything_is_refused(files: Files) -> None:
    options = f"tls_verify_hosts = *\ntls_verify_certificates = {files['ca.pem']}\n"
    with running_with(files, options) as server, Client(server) as client:
        plain = client.socket.dup()
        with pytest.raises(ssl.SSLError):
            client.start_tls()
        with plain:
            plain.settimeout(PATIENCE)
            file = plain.makefile("rb")
            for command, expected in (
                (b"MAIL FROM:<a@b.test>", b"554 Security failure\r\n"),
                (b"EHLO client", b"554 Security failure\r\n"),
                (b"QUIT", b"221 mail.test closing connection\r\n"),
            ):
                plain.sendall(command + b"\r\n")
                assert file.readline() == expected
            assert file.read() == b""
        assert "TLS error on connection from (client) [127.0.0.1] (SSL_accept): error:" in server.log()


MISSING = "error:80000002:system library::No such file or directory"
BY_NAME = [
    ("good.test", ""),
    ("missing.test", f"(SSL_CTX_use_certificate_chain_file file=/nonexistent): {MISSING}"),
    ("failing.test", "expansion of tls_privatekey failed"),
]


@pytest.mark.parametrize(("name", "complaint"), BY_NAME)
def test_what_the_server_name_leads_to(files: Files, name: str, complaint: str) -> None:
    options = (
        f"tls_privatekey = ${{if !eq{{$tls_in_sni}}{{failing.test}}{{{files['server.pem']}}}fail}}\n"
        "log_selector = +tls_sni\n"
    )
    with running_with(files, options) as server:
        text = server.config.read_text().replace(
            f"tls_certificate = {files['server.pem']}",
            f"tls_certificate = ${{if eq{{$tls_in_sni}}{{missing.test}}{{/nonexistent}}{{{files['server.pem']}}}}}",
        )
        server.stop()
        server.config.write_text(text)
        server.start()
        with Client(server) as client:
            if not complaint:
                client.start_tls(name)
                return
            with pytest.raises((ssl.SSLError, ConnectionError)):
                client.start_tls(name)
        server.wait_for_log("TLS error on connection from (client) [127.0.0.1] (SSL_accept): error:")
        assert complaint in server.log()
        server.wait_for_log(complaint, log="paniclog")  # which is written after the main log


def test_clients_without_the_certificate_that_others_have(files: Files) -> None:
    options = f"tls_verify_hosts = 192.0.2.1\ntls_verify_certificates = {files['ca.pem']}\n"
    with running_with(files, options) as server:
        with Client(server) as client:
            client.start_tls()
            for command in ("EHLO client", "MAIL FROM:<a@b.test>", "RCPT TO:<c@mail.test>", "DATA", "\r\n.", "QUIT"):
                client.ask(command)
        server.wait_for_log("Completed")
        assert " CV=no S=" in server.log()


@pytest.mark.parametrize(
    ("settings", "warning", "log"),
    [
        ("tls_dhparam = ike22", "WARNING: deprecated Diffie-Hellman parameter 'ike22' used", "paniclog"),
        ("tls_dhparam = ike24", "WARNING: deprecated Diffie-Hellman parameter 'ike24' used", "mainlog"),
        ("", "Warning: No server certificate defined; will use a selfsigned one.", "mainlog"),
    ],
)
def test_what_is_said_at_the_start(settings: str, warning: str, log: str) -> None:
    with running(f"tls_advertise_hosts = *\n{settings}\n{DISCARD}") as server:
        server.wait_for_log(warning, log=log)


@pytest.mark.parametrize(("selector", "protocol"), [("", "esmtps"), ("+tls_on_connect", "essmtp")])
def test_tls_from_the_first_octet(selector: str, protocol: str) -> None:
    with running(f"tls_advertise_hosts = *\nlog_selector = {selector}\n{DISCARD}", "-tls-on-connect") as server:
        context = ssl._create_unverified_context()
        with smtplib.SMTP_SSL("127.0.0.1", server.port, timeout=PATIENCE, context=context) as client:
            client.sendmail("a@b.test", ["c@mail.test"], "Subject: x\n\nx\n")
        server.wait_for_log("Completed")
        assert f"P={protocol} X=" in server.log()

"""Arrival lines, as Exim writes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eximious.logs.fields import Fields, PortList
from eximious.logs.message import Arrival, arrival_line, message_log_line, rejected_header
from eximious.logs.selector import ALL, DEFAULT
from eximious.spool.message import Client, Header, Message, Recipient
from eximious.taint import Tainted
from eximious.tls_session import TlsSession

Set = Callable[[Message, Arrival], None]


def remote(message: Message, arrival: Arrival) -> None:
    """What an SMTP session over TCP leaves."""
    client = message.client
    client.host_address, client.host_port = "127.0.0.1", 54764
    client.interface_address, client.interface_port = "127.0.0.1", 38923
    client.helo_name, client.connection_id = Tainted("client.example"), "6"
    message.received_protocol = "esmtp"


def authenticated(message: Message, arrival: Arrival) -> None:
    remote(message, arrival)
    message.received_protocol = "esmtpa"
    message.client.authenticator_name, message.client.authenticated_id = "plain", "user"
    message.authenticated_sender = "auth@s.example"
    arrival.pipelining, arrival.eight_bit, arrival.subject = "L.-", 8, "hello"
    arrival.dsn = ["ret", "envid", "orcpt", "notify"]
    message.received_complete_seconds = 0.001199


def over_tls(message: Message, arrival: Arrival) -> None:
    remote(message, arrival)
    message.received_protocol = "utf8esmtps"
    tls = message.client.tls = TlsSession()
    tls.cipher, tls.sni = "TLS1.3:AES_256_GCM:256", "localhost"
    arrival.chunking, arrival.pipelining, arrival.subject = True, "L.-", "x"


def tls_of(message: Message) -> TlsSession:
    assert message.client.tls is not None
    return message.client.tls


def with_certificate(message: Message, arrival: Arrival) -> None:
    over_tls(message, arrival)
    tls = tls_of(message)
    tls.peer_certificate, tls.peer_dn, tls.is_verified = "PEM", '/CN="x"\\', True
    tls.sni, arrival.subject, arrival.pipelining = "", "", ""


def resumed_without_verification(message: Message, arrival: Arrival) -> None:
    with_certificate(message, arrival)
    tls = tls_of(message)
    tls.is_verified, tls.resumption = False, 4


def local(message: Message, arrival: Arrival) -> None:
    message.client.ident, message.received_protocol = "root", "local"
    arrival.header_id, arrival.header_id_was_added = f"E{message.id}@mail.example", True
    arrival.subject = 'hi "q" \\b \xc3\xbc x'


def without_the_certificate_that_others_have(message: Message, arrival: Arrival) -> None:
    over_tls(message, arrival)
    tls_of(message).may_be_asked = True


def bounce(message: Message, arrival: Arrival) -> None:
    local(message, arrival)
    message.sender = ""
    arrival.reference = "10HmaX-000000005vi-0000"


def everything(message: Message, arrival: Arrival) -> None:
    authenticated(message, arrival)
    client = message.client
    client.host_name, client.host_dnssec, client.ident = "host.example", True, "id\nent"
    arrival.tcp_fast_open, arrival.proxy_address = "TFO*", "192.0.2.7"
    arrival.prdr = arrival.chunking = True
    arrival.spf, arrival.dmarc, arrival.dkim_domain = "pass", "none", "d.example"
    arrival.header_id, message.queue_name = "abc", "altq"


BARE = ALL - {"dkim_verbose"}

LINES: list[tuple[Set, frozenset[str] | set[str], str]] = [
    (remote, DEFAULT, "<= a@b H=(client.example) [127.0.0.1] P=esmtp S=423"),
    (
        authenticated,
        ALL,
        "<= a@b H=(client.example) [127.0.0.1]:54764 I=[127.0.0.1]:38923 Ci=6 P=esmtpa L.- A=plain:user:auth@s.example "
        'S=423 M8S=8 DSN=ret,envid,orcpt,notify RT=0.001s T="hello" from <a@b> for c@d "q q"@d',
    ),
    (authenticated, DEFAULT, "<= a@b H=(client.example) [127.0.0.1] P=esmtpa A=plain:user S=423"),
    (
        over_tls,
        ALL - {"received_sender", "received_recipients", "receive_time"},
        "<= a@b H=(client.example) [127.0.0.1]:54764 I=[127.0.0.1]:38923 Ci=6 P=utf8esmtps L.- "
        'X=TLS1.3:AES_256_GCM:256 SNI=localhost K S=423 M8S=0 T="x"',
    ),
    (
        with_certificate,
        DEFAULT | {"tls_peerdn"},
        "<= a@b H=(client.example) [127.0.0.1] P=utf8esmtps X=TLS1.3:AES_256_GCM:256 CV=yes "
        'DN="/CN=\\"x\\"\\\\" K S=423',
    ),
    (
        resumed_without_verification,
        DEFAULT | {"tls_resumption"},
        "<= a@b H=(client.example) [127.0.0.1] P=utf8esmtps X=TLS1.3:AES_256_GCM:256* CV=no K S=423",
    ),
    (
        without_the_certificate_that_others_have,
        DEFAULT,
        "<= a@b H=(client.example) [127.0.0.1] P=utf8esmtps X=TLS1.3:AES_256_GCM:256 CV=no K S=423",
    ),
    (local, DEFAULT, "<= a@b U=root P=local S=423"),
    (
        local,
        ALL - {"receive_time", "connection_id"},
        '<= a@b U=root P=local S=423 M8S=0 id*=E1xVz78-00000000006-3KbK@mail.example T="hi \\"q\\" \\\\b \\303\\274 x" '
        'from <a@b> for c@d "q q"@d',
    ),
    (bounce, DEFAULT, "<= <> R=10HmaX-000000005vi-0000 U=root P=local S=423"),
    (
        everything,
        ALL - {"receive_time", "subject", "received_sender", "received_recipients", "dsn"},
        "<= a@b DS H=host.example (client.example) [127.0.0.1]:54764 I=[127.0.0.1]:38923 TFO* U=id\\nent Ci=6 P=esmtpa "
        "L.- A=plain:user:auth@s.example PRX=192.0.2.7 PRDR K SPF=pass S=423 M8S=8 DKIM=d.example DMARC=none Q=altq "
        "id=abc",
    ),
    (
        everything,
        DEFAULT | {"spf", "dmarc"},
        "<= a@b H=host.example (client.example) [127.0.0.1] TFO* U=id\\nent P=esmtpa A=plain:user PRDR K SPF S=423 "
        "DKIM=d.example Q=altq id=abc",
    ),
]


def made(change: Set) -> tuple[Message, Arrival]:
    message, arrival = Message(), Arrival()
    message.id, message.sender, message.size = "1xVz78-00000000006-3KbK", Tainted("a@b"), 423
    message.recipients = [Recipient("c@d"), Recipient('"q q"@d')]
    change(message, arrival)
    return message, arrival


@pytest.mark.parametrize(("change", "selected", "expected"), LINES)
def test_lines(change: Set, selected: frozenset[str], expected: str) -> None:
    assert arrival_line(*made(change), Fields(frozenset(selected))) == expected


def test_other_flags_and_message_log() -> None:
    message, arrival = made(local)
    fields = Fields(DEFAULT | {"received_recipients"})
    assert arrival_line(message, arrival, fields, "(=") == '(= a@b U=root P=local S=423 for c@d "q q"@d'
    assert message_log_line(message, arrival, fields) == "Received from a@b U=root P=local S=423"


# What Exim 4.100 logs for these names and HELO arguments, from 1.2.3.4 port 77.
HOSTS = [
    (None, "client", "H=(client) [1.2.3.4]:77"),
    (None, "", "H=[1.2.3.4]:77"),
    (None, "[1.2.3.4]", "H=([1.2.3.4]) [1.2.3.4]:77"),
    ("host.name", "x", "H=host.name (x) [1.2.3.4]:77"),
    ("host.name", "HOST.Name", "H=host.name [1.2.3.4]:77"),
    ("host.name", "", "H=host.name [1.2.3.4]:77"),
    (None, "cli\xfcnt", "H=(cli\\374nt) [1.2.3.4]:77"),
]


@pytest.mark.parametrize(("name", "helo", "expected"), HOSTS)
def test_hosts(name: str | None, helo: str, expected: str) -> None:
    client = Client()
    client.host_address, client.host_port, client.host_name, client.helo_name = "1.2.3.4", 77, name, helo
    client.interface_address, client.interface_port, client.ident = "5.6.7.8", 25, "me"
    fields = Fields(frozenset({"incoming_port"}))
    assert fields.host_and_ident(client) == f"{expected} U=me"
    assert fields.full_host(client) == expected.removeprefix("H=")
    fields = Fields(frozenset({"incoming_port", "incoming_interface"}))
    assert fields.host_and_ident(client) == f"{expected} I=[5.6.7.8]:25 U=me"


def test_local_clients_have_no_host() -> None:
    client = Client()
    assert Fields(ALL).host_and_ident(client) == ""
    client.ident = "root"
    assert Fields(ALL).host_and_ident(client) == "U=root"


PORTS = [
    (["*"], {25: True, 587: True}),
    (["25", "26"], {25: True, 587: False}),
    (["!25", "!587"], {25: False, 587: False, 26: True}),
    (["25", "!*"], {25: True, 26: False}),
    ([], {25: False}),
]


@pytest.mark.parametrize(("items", "expected"), PORTS)
def test_log_ports(items: list[str], expected: dict[int, bool]) -> None:
    fields = Fields(frozenset({"incoming_interface"}), PortList(items))
    for port, shown in expected.items():
        assert fields.logs_port(port) is shown
        assert fields.interface("192.0.2.1", port) == (f" I=[192.0.2.1]:{port}" if shown else " I=[192.0.2.1]")
    assert not fields.logs_port(0)


def test_rejected_header() -> None:
    message, _ = made(remote)
    message.headers = [
        Header("Received: x\n\ty\n", "P"),
        Header("Old: x\n", "*"),
        Header("Subject: \xfc\r\n evil\n2026-11-24 forged\0\n"),
    ]
    assert rejected_header(message, DEFAULT) == (
        "Envelope-from: <a@b>\n"
        'Envelope-to: <c@d>\n    <"q q"@d>\n'
        "P Received: x\n\ty\n"
        "* Old: x\n"
        "  Subject: \xfc\\r\n evil\\n2026-11-24 forged\\000\n"
    )
    assert rejected_header(message, DEFAULT - {"rejected_header"}) == ""
    message.headers = []
    assert rejected_header(message, DEFAULT) == ""

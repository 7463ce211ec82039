"""What other mail servers had: Postfix, OpenSMTPD and their kind."""

from __future__ import annotations

import contextlib
import ssl
import time
from pathlib import Path

import pytest

from eximious.deliver.message import deliver_claimed
from eximious.net.stream import Endpoint
from eximious.receive.counters import HISTORY
from eximious.tls.context import ServerContext
from tests.deliver.place import Place
from tests.security.place import ENVELOPE, FAREWELL, server
from tests.send.servers import ScriptedServer
from tests.send.test_delivery import ROUTERS
from tests.tls.authority import Files
from tests.transports.test_local_transports import LmtpServer

# --- Postfix ----------------------------------------------------------------------------------------------------------

REFUSED = [
    ("acl_smtp_data = deny message = no\n", [b"DATA\r\n", b"X: y\r\n\r\n.\r\n"]),
    ("message_size_limit = 1K\n", [b"DATA\r\n", b"X: y\r\n\r\n" + b"z\r\n" * 1000 + b".\r\n"]),
    ("header_maxsize = 1K\n", [b"DATA\r\n", b"X: " + b"y" * 2000 + b"\r\n\r\n.\r\n"]),
    ("acl_smtp_data = deny message = no\n", [b"BDAT 3 LAST\r\na\r\n"]),
    ("acl_smtp_data = defer message = no\n", [b"BDAT 3\r\na\r\n", b"BDAT 0 LAST\r\n"]),
    ("message_size_limit = 1K\n", [b"BDAT 3000 LAST\r\n" + b"a\r\n" * 1000]),
]


@pytest.mark.parametrize(("options", "text"), REFUSED)
def test_state_is_reset_after_a_refused_message(options: str, text: list[bytes], tmp_path: Path) -> None:
    """20260803: a second message does not skip the checks because the first was refused, or is part of it."""
    there = server(tmp_path, options)
    said = there.talk(*ENVELOPE, *text, b"RCPT TO:<c@d.test>\r\n", b"DATA\r\n", b"BDAT 0 LAST\r\n", b"QUIT\r\n")
    assert "503 sender not yet given\r\n" in said
    assert said.count("\r\n503 valid RCPT command must precede") == 2
    assert said.endswith(FAREWELL)
    assert not there.queue.messages


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_flood_of_tiny_chunks(size: int, tmp_path: Path) -> None:
    """20260805: what is remembered of the commands stays small, and so does the time that each takes."""
    there = server(tmp_path, "smtp_max_synprot_errors = 100000\n")
    count = 5000
    session = there.session(*ENVELOPE, b"BDAT 6\r\nA: b\r\n", *[b"BDAT %d\r\n%s" % (size, b"\r\n"[:size])] * count)
    session.stream.is_kept = False  # type: ignore[attr-defined]
    started = time.process_time()
    session.run()
    assert time.process_time() - started < 5
    assert len(session.counters.history) <= HISTORY
    assert len(session.command_history) < 200


def test_tickets_are_for_one_service(tmp_path: Path) -> None:
    """20260805: a TLS session of a service that asks for no certificate is none for one that does."""
    files = Files(tmp_path)
    one, other = (ServerContext(certificates=[files["server.pem"]], dh_max_bits=bits) for bits in (2048, 3072))
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname = False
    settings.verify_mode = ssl.CERT_NONE
    settings.maximum_version = ssl.TLSVersion.TLSv1_2
    session = shaken(settings, one, None).session
    assert session is not None
    assert not shaken(settings, other, session).session_reused


def shaken(settings: ssl.SSLContext, context: ServerContext, session: ssl.SSLSession | None) -> ssl.SSLObject:
    """A client that has shaken hands with a server, offering a session."""
    layer = context.layer()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = settings.wrap_bio(incoming, outgoing, session=session)
    for _ in range(4):
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        layer.feed(outgoing.read())
        layer.shake_hands()
        incoming.write(layer.take_output())
    return client


@pytest.mark.parametrize(
    "command", ["VRFY \xc3\xa9@d.test", "VRFY \xff", "EXPN \xc3\xa9", "VRFY \xc3\xa9@d.test SMTPUTF8", "HELP \xc3\xa9"]
)
def test_utf8_in_between_changes_nothing(command: str, tmp_path: Path) -> None:
    """20260812: VRFY with UTF-8 in the middle of a transaction resets no half of it."""
    there = server(tmp_path, "acl_smtp_vrfy = accept\nacl_smtp_expn = accept\nsmtputf8_advertise_hosts = *\n")
    between = command.encode("latin-1") + b"\r\n"
    for at in (2, 3):
        commands = [*ENVELOPE, b"DATA\r\n", b"Subject: x\r\n\r\n.\r\n", b"QUIT\r\n"]
        commands.insert(at, between)
        said = there.talk(*commands)
        assert "250 OK id=" in said
    for message, _ in there.queue.messages:
        assert message.sender == "a@b.test"
        assert [one.address for one in message.recipients] == ["c@d.test"]
        assert not message.smtp_utf8


BARE = """
220
? EHLO
250-
250-SIZE
250
? MAIL
250
? RCPT
250
? DATA
354
*data
250
? QUIT
221
"""


def test_cve_2026_43964(tmp_path: Path) -> None:
    """Replies of nothing but a code."""
    with ScriptedServer(BARE) as far:
        place = smtp_place(tmp_path, far)
        place.send("a@far.example")
        place.close()
    assert "Completed" in place.log


def smtp_place(folder: Path, far: ScriptedServer) -> Place:
    """A place that sends everything there."""
    routers = ROUTERS.format(hosts=f"127.0.0.1::{far.port}")
    return Place(folder, routers=routers, transports="smtp:\n  driver = smtp\n", retry="* * F,1h,10m")


# --- OpenSMTPD --------------------------------------------------------------------------------------------------------

SENDERS = [
    ";touch {}/pwned;@x.test",
    "`touch {}/pwned`@x.test",
    "$(touch {}/pwned)@x.test",
    "|touch {}/pwned",
    "-oQ/{}/pwned@x.test",
]


@pytest.mark.parametrize("options", ["", "use_shell\n  ", "ignore_status\n  force_command\n  "])
@pytest.mark.parametrize("sender", SENDERS)
def test_cve_2020_7247(sender: str, options: str, tmp_path: Path) -> None:
    """A sender, or recipient, that a shell would run, as a word for a command: one word, or refused."""
    from eximious.taint import Tainted

    sender = Tainted(sender.format(tmp_path).replace(" ", "\t"))
    place = Place(
        tmp_path,
        routers="r:\n  driver = accept\n  transport = t\n",
        transports=f"t:\n  driver = pipe\n  {options}command = /usr/bin/printf %s\\\\n $sender_address $local_part\n"
        "  return_output\n",
    )
    place.send(Tainted(f"{sender.partition('@')[0]}@y.test"), sender=sender)
    for bounce in place.submitted():
        place.deliver(bounce.id)
    place.close()
    assert not list(tmp_path.rglob("pwned"))


EVIL_REPLY = """
220 far
? EHLO
250 far
? MAIL
250 ok
? RCPT
550-one
550-|touch pwned
550-From: evil@b.test
550-
550 ${run{/bin/touch pwned}}
? QUIT
221 bye
"""


def test_cve_2020_8794(tmp_path: Path) -> None:
    """A reply of several lines goes into the log, the spool and the bounce: as text, and as one line of the log."""
    with ScriptedServer(EVIL_REPLY) as far:
        place = smtp_place(tmp_path, far)
        message_id = place.send("a@far.example")
    (bounce,) = place.submitted(message_id)
    lines = [line for line in (tmp_path / "mainlog").read_text().splitlines() if "touch pwned" in line]
    assert len(lines) == 1
    assert lines[0][20:].startswith(f"{message_id} ** a@far.example")
    assert "From: evil" not in bounce.header
    assert bounce.recipients == ["s@sender.example"]
    assert "550 ${run{/bin/touch pwned}}" in bounce.body
    place.close()
    assert not list(tmp_path.rglob("pwned"))
    assert not Path("pwned").exists()


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1%25", "::1", "::ffff:192.0.2.7", "::", "0.0.0.0"])
def test_cve_2023_29323(address: str, tmp_path: Path) -> None:
    """Clients with scoped addresses, and other odd ones."""
    there = server(
        tmp_path,
        "host_lookup = *\nacl_smtp_connect = connect\nbegin acl\nconnect:\n  accept hosts = <; 10.0.0.0/8 ; *\n",
    )
    plain = Endpoint.of((address, 40000)).address
    assert there.talk(*ENVELOPE, b"QUIT\r\n", address=plain).endswith(FAREWELL)


@pytest.mark.parametrize("end", ["\r\nRCPT TO:<evil@b.test>", "\nDATA", "\0", "\r.\r"])
def test_a_newline_in_a_line_protocol(end: str, tmp_path: Path) -> None:
    """7.8.0p1: addresses as LMTP has them are part of one line."""
    place = Place(
        tmp_path,
        routers="r:\n  driver = accept\n  transport = t\n",
        transports=f"t:\n  driver = lmtp\n  socket = {tmp_path}/socket\n",
    )
    listening = LmtpServer(tmp_path / "socket", "220 hi", "250 lhlo", "250 mail", "250 a", "354 go", "250 done")
    claimed = place.services.spool.claim(place.queue("a@test.ex"))
    assert claimed is not None
    claimed.message.sender = f"s{end}@sender.example"
    claimed.message.recipients[0].address = f"a{end}@test.ex"
    deliver_claimed(claimed, place.services)
    place.close()
    heard = listening.close().split("\r\n")
    assert [line.split(" ")[0] for line in heard[:4]] == ["LHLO", "MAIL", "RCPT", "DATA"]
    assert not any(character in line for line in heard for character in "\r\n\0")

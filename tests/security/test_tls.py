"""TLS and what surrounds it: nothing from before it counts after it, nothing after its end counts at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.net.memory import MemoryStream
from eximious.net.stream import Stream
from eximious.smtp.client import ClientProtocol
from eximious.spool.header_file import dump, load
from eximious.spool.message import Message
from eximious.taint import Tainted
from eximious.tls.context import ClientContext
from eximious.tls.errors import TlsError
from eximious.tls_session import TlsSession
from tests.security.place import EHLO, ENVELOPE, Client, Says, hold, server, shared_server

OPTIONS = "tls_advertise_hosts = *\npipelining_advertise_hosts = *\nsmtp_enforce_sync = false\n"
EVIL = (b"MAIL FROM:<evil@b.test>\r\n", b"RCPT TO:<evil@d.test>\r\n", b"DATA\r\n", b"Subject: evil\r\n\r\n.\r\n")


def encrypted(client: Client, *before: bytes) -> Says:
    """A client that greets, says something, and begins TLS."""
    yield from client.ask(EHLO)
    for command in before:
        yield from client.ask(command)
    yield from client.start_tls()
    yield from client.ask(EHLO)


def senders(client: Client, says: Says) -> list[str]:
    """Who sent the messages that the server accepts in such a session."""
    there = shared_server(OPTIONS)
    hold(there, says)
    return [message.sender for message, _ in there.queue.messages]


INJECTED = [
    EVIL[0],
    b"".join(EVIL[:2]),
    b"".join(EVIL),
    b"NOOP\r\n",
    b"QUIT\r\n",
    b"MAIL FROM:<ev",
    b"BDAT 1000\r\n",
    b"\xff" * 20,
]


@pytest.mark.parametrize("is_later", [False, True])
@pytest.mark.parametrize("injected", INJECTED)
def test_cve_2021_38371(injected: bytes, is_later: bool) -> None:
    """What came in the clear behind STARTTLS is neither obeyed nor the beginning of what TLS brings."""
    client = Client()

    def says() -> Says:
        yield from client.ask(EHLO)
        yield from client.start_tls(injected, is_later=is_later)
        for command in (EHLO, *ENVELOPE[1:], b"DATA\r\n", b"Subject: x\r\n\r\n.\r\n", b"QUIT\r\n"):
            yield from client.ask(command)

    assert senders(client, says()) == ["a@b.test"]
    assert [reply[:4] for reply in client.replies[1:]] == [
        "250-",
        "250 ",
        "250 ",
        "354 ",
        "250 ",
    ]


def test_cve_2021_38371_when_sending() -> None:
    """Nor does the client believe replies that came in the clear: in its buffer or the stream's."""
    protocol = ClientProtocol()
    protocol.command("STARTTLS")
    protocol.receive(b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n")
    assert protocol.next_reply() is not None
    protocol.start_tls()
    protocol.command("EHLO x")
    assert protocol.next_reply() is None
    stream = MemoryStream(b"250 evil\r\n")
    with pytest.raises(TlsError):
        stream.start_tls_client(ClientContext(), "mail.test")
    assert not stream.has_input()


# What a client does in TLS before it says close_notify, and what it sends behind that in the clear.
CLOSED = [
    ((), b"".join(EVIL)),
    (ENVELOPE[1:2], EVIL[1] + EVIL[2] + EVIL[3]),
    (ENVELOPE[1:], EVIL[2] + EVIL[3]),
    ((*ENVELOPE[1:], b"DATA\r\n"), EVIL[3]),
    ((*ENVELOPE[1:], b"DATA\r\n", b"Subject: x\r\n\r\n"), b".\r\n"),
    ((*ENVELOPE[1:], b"BDAT 100\r\nSubject: x\r\n\r\n"), b"x" * 86 + b"BDAT 0 LAST\r\n"),
    ((*ENVELOPE[1:], b"BDAT 14\r\nSubject: x\r\n\r\n"), b"BDAT 0 LAST\r\n"),
    ((*ENVELOPE[1:], b"BDAT 15 LAST\r\nSubject: x\r\n\r\n"), b"\n" + b"".join(EVIL)),
]


@pytest.mark.parametrize("is_together", [False, True])
@pytest.mark.parametrize(("commands", "rest"), CLOSED)
def test_cve_2026_45185(commands: tuple[bytes, ...], rest: bytes, is_together: bool) -> None:
    """After close_notify nothing is read as SMTP, wherever it comes: in the same packet or later."""
    client = Client()

    def says() -> Says:
        yield from encrypted(client)
        for command in commands:
            yield from client.ask(command)
        if is_together:
            yield client.close_notify() + rest
        else:
            yield client.close_notify()
            yield rest
        yield rest

    assert senders(client, says()) == []


# Commands and replies under way when the client goes: in one record, in several, half of one.
UNDER_WAY = [
    (ENVELOPE[1], ENVELOPE[2], b"DATA\r\n"),
    (b"".join(ENVELOPE[1:]) + b"DATA\r\n",),
    (b"".join(ENVELOPE[1:]) + b"DATA\r\nSubject: x\r\n",),
    (*ENVELOPE[1:], b"BDAT 5\r\nab"),
    (b"STARTTLS\r\n",),
    (b"QUIT\r\n", *ENVELOPE[1:]),
    (b"RSET\r\n" * 500,),
    (b"XYZZY\r\n" * 10,),
    (b"A" * 40_000,),
]
GOODBYES = ["notify", "cut", "half a record", "garbage", "alert"]


@pytest.mark.parametrize("goodbye", GOODBYES)
@pytest.mark.parametrize("records", UNDER_WAY)
def test_cve_2020_28018(records: tuple[bytes, ...], goodbye: str) -> None:
    """A client that closes TLS, or breaks it, while answers to what it has pipelined are under way: the session ends in
    order, and the one after it is like any other."""
    client = Client()

    def says() -> Says:
        yield from encrypted(client)
        octets = client.seal(*records)
        match goodbye:
            case "notify":
                octets += client.close_notify()
            case "half a record":
                octets += client.seal(b"NOOP\r\n")[:-3]
            case "garbage":
                octets += b"\x17\x03\x03\x00\x20" + b"g" * 32
            case "alert":
                octets += b"\x15\x03\x03\x00\x02\x02\x50"
        yield octets
        yield b"".join(EVIL)

    there = shared_server(OPTIONS)
    session = hold(there, says())
    assert there.queue.messages == []
    assert isinstance(session.stream, MemoryStream)
    assert session.stream.is_closed
    assert not any("Traceback" in line for line in there.logs.lines)
    again = Client()

    def good() -> Says:
        yield from encrypted(again)
        for command in (*ENVELOPE[1:], b"DATA\r\n", b"Subject: x\r\n\r\n.\r\n", b"QUIT\r\n"):
            yield from again.ask(command)

    assert senders(again, good()) == ["a@b.test"]


@pytest.mark.parametrize("before", [(), ENVELOPE[1:2], ENVELOPE[1:], (b"AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n",)])
def test_nothing_that_was_said_in_the_clear_counts(before: tuple[bytes, ...], tmp_path: Path) -> None:
    """Name, sender, recipients and identity are forgotten: RFC 3207 section 4.2."""
    there = server(
        tmp_path,
        f"{OPTIONS}acl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n"
        "  accept logwrite = <$authenticated_id|$sender_helo_name|$received_protocol>\n"
        "begin authenticators\np:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n"
        "  server_condition = yes\n  server_set_id = $auth2\n",
    )
    client = Client()

    def says() -> Says:
        yield from client.ask(EHLO)
        for command in before:
            yield from client.ask(command)
        yield from client.start_tls()
        yield from client.ask(b"RCPT TO:<evil@d.test>\r\n")
        yield from client.ask(b"DATA\r\n")
        yield from client.ask(b"EHLO other.test\r\n")
        yield from client.ask(ENVELOPE[1])
        yield from client.ask(ENVELOPE[2])
        yield from client.ask(b"QUIT\r\n")

    hold(there, says())
    assert [reply[:3] for reply in client.replies[len(before) + 1 :][:2]] == ["503", "503"]
    assert "main: <|other.test|esmtps>" in there.logs.lines


NAMES = ["a\\", "\\", "x\\n", 'x"', "a\\0b", "\\" * 1001, "a\nb", "a\n-manual_thaw", "\0", "\r", "\xff\\"]


@pytest.mark.parametrize("name", NAMES)
def test_cve_2019_15846(name: str) -> None:
    """A backslash, or a line end, at the end of a name that TLS brings: it goes into the spool and comes back."""
    message = Message()
    message.id = "1xW000-000000001Ab-2cde"
    message.client.tls = TlsSession()
    message.client.tls.sni = Tainted(name)
    message.client.tls.peer_dn = Tainted(name)
    again = load(dump(message), message.id)
    assert again.client.tls is not None
    assert not again.manual_thaw
    assert (again.client.tls.sni, again.client.tls.peer_dn) == (name, name)


@pytest.mark.parametrize("name", ["a\\", "a\\\\", "${run{x}}", "a\nb", "../../x", "\xff", "a" * 255])
def test_cve_2019_15846_handshake(name: str, tmp_path: Path) -> None:
    """The same from a handshake, where a client may send what it likes as the name that it wants."""
    there = server(
        tmp_path,
        OPTIONS
        + "log_selector = +tls_sni\nacl_smtp_mail = mail\nbegin acl\nmail:\n  accept logwrite = <$tls_in_sni>\n",
    )
    client = Client(name)

    def says() -> Says:
        yield from encrypted(client)
        for command in (*ENVELOPE[1:], b"DATA\r\n", b"Subject: x\r\n\r\n.\r\n", b"QUIT\r\n"):
            yield from client.ask(command)

    hold(there, says())
    ((message, _),) = there.queue.messages
    again = load(dump(message), message.id)
    assert again.client.tls is not None
    assert message.client.tls is not None
    assert again.client.tls.sni == message.client.tls.sni
    assert all("\n" not in line for line in there.logs.lines)


def test_streams_forget() -> None:
    """A stream that has been given back octets forgets them when TLS begins."""
    stream: Stream = MemoryStream(b"220 x\r\n", b"\xff")
    stream.unread(b"250 evil\r\n")
    with pytest.raises(TlsError):
        stream.start_tls_client(ClientContext(), "x")
    assert not stream.has_input()

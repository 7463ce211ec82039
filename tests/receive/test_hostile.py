"""Clients that want to do harm: everything has a bound, and every session ends in order."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.receive.place import Server, headers_of

BASIC = "acl_smtp_rcpt = accept\n"
UP_TO_DATA = (b"EHLO x\r\n", b"MAIL FROM:<s@b.test>\r\n", b"RCPT TO:<a@test.ex>\r\n", b"DATA\r\n")


def last(text: str) -> str:
    """The last reply line before the farewell."""
    lines = [line for line in text.split("\r\n") if line and not line.startswith("421 mail.test lost")]
    return lines[-1]


@pytest.mark.parametrize("verb", [b"EHLO", b"HELO", b"MAIL FROM:", b"RCPT TO:", b"VRFY", b"AUTH", b"NOOP", b"XYZZY"])
def test_cve_2019_16928_long_lines(verb: bytes, tmp_path: Path) -> None:
    """100 KB in a command, in pieces: refused, and the next command is understood."""
    server = Server(tmp_path, BASIC)
    sent = server.talk(verb + b" " + b"a" * 50000, b"a" * 50000, b"a\r\n", b"NOOP\r\n", b"QUIT\r\n")
    assert "\r\n501 " in sent or "\r\n500 " in sent
    assert sent.endswith("250 OK\r\n221 mail.test closing connection\r\n")


def test_a_line_that_never_ends_is_not_kept(tmp_path: Path) -> None:
    server = Server(tmp_path, BASIC)
    piece = b"a" * 65536
    tracemalloc.start()
    server.talk(*[piece] * 300, is_kept=False)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4_000_000


@pytest.mark.slow
def test_cve_2010_4344_big_header_sections(tmp_path: Path) -> None:
    """50 MB of headers: refused, without keeping them, and the session goes on."""
    server = Server(tmp_path, BASIC)
    line = b"X-Junk: " + b"a" * 70 + b"\r\n"
    piece = line * 800
    tracemalloc.start()
    sent = server.talk(*UP_TO_DATA, *[piece] * 800, b"\r\n.\r\n", b"QUIT\r\n", is_kept=False)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sent.endswith("552 Message header is ridiculously long\r\n221 mail.test closing connection\r\n")
    assert most < 30_000_000
    assert not server.queue.messages
    assert any("ridiculously long message header" in entry for entry in server.logs.lines)


def test_header_line_maxsize(tmp_path: Path) -> None:
    server = Server(tmp_path, BASIC + "header_line_maxsize = 1000\n")
    sent = server.talk(*UP_TO_DATA, b"X: " + b"a" * 2000 + b"\r\n\r\nbody\r\n.\r\n")
    assert last(sent) == "552 A message header line is too long"


def test_many_recipients(tmp_path: Path) -> None:
    """recipients_max bounds them; each costs the same."""
    server = Server(tmp_path, BASIC + "recipients_max = 1000\n")
    recipients = b"".join(b"RCPT TO:<user%d@test.ex>\r\n" % number for number in range(1200))
    sent = server.talk(b"EHLO x\r\n", b"MAIL FROM:<>\r\n" + recipients + b"DATA\r\n", b"\r\n.\r\n", b"QUIT\r\n")
    assert sent.count("250 Accepted\r\n") == 1000
    assert sent.count("452 too many recipients\r\n") == 200
    assert len(server.queue.messages[0][0].recipients) == 1000


def test_cve_2019_10149_expansion_in_an_address(tmp_path: Path) -> None:
    """What looks like an expansion in an address is text, wherever it turns up."""
    address = "${run{/bin/false}}"
    server = Server(
        tmp_path,
        """
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  warn logwrite = $local_part
       add_header = X-To: $local_part
       set acl_m_x = $local_part
  accept logwrite = $acl_m_x
""",
    )
    server.talk(
        b"EHLO x\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<" + address.encode() + b"@test.ex>\r\n", b"DATA\r\n", b".\r\n"
    )
    assert server.logs.lines[:2] == [f"main: {address}"] * 2
    ((message, _),) = server.queue.messages
    assert f"X-To: {address}\n" in headers_of(message)


@pytest.mark.parametrize("command", ["MAIL FROM:<> =", "MAIL FROM:<> SIZE=", "MAIL FROM:<> =x=", "MAIL FROM:<> AUTH="])
def test_cve_2020_28022_odd_parameters(command: str, tmp_path: Path) -> None:
    server = Server(tmp_path, BASIC)
    sent = server.talk(b"EHLO x\r\n", command.encode() + b"\r\n", b"NOOP\r\n", b"QUIT\r\n")
    reply = sent.split("\r\n")[-4]
    assert reply.startswith(("250 OK", "501 "))
    assert sent.endswith("250 OK\r\n221 mail.test closing connection\r\n")


@pytest.mark.parametrize(
    "value", ["a+0D+0AX-Evil:+20yes", "a+00b", "a\nb@c", "x@y+0A1", "+", "+4", "a+zz", "a" * 5000 + "@b.test"]
)
def test_cve_2020_28015_newlines_in_parameters(value: str, tmp_path: Path) -> None:
    """Nothing of AUTH=, ENVID= or ORCPT= can begin a line of its own, in headers or in the spool."""
    server = Server(tmp_path, BASIC + "dsn_advertise_hosts = *\nacl_smtp_mailauth = accept\n")
    for form in ("AUTH={}", "ENVID={}"):
        server.talk(
            b"EHLO x\r\n",
            f"MAIL FROM:<> {form.format(value)}\r\n".encode("latin-1"),
            f"RCPT TO:<a@test.ex> ORCPT=rfc822;{value}\r\n".encode("latin-1"),
            b"RCPT TO:<a@test.ex>\r\n",
            b"DATA\r\n",
            b".\r\n",
        )
    for message, _ in server.queue.messages:
        assert "\nX-Evil" not in headers_of(message)
        kept = [message.authenticated_sender or "", *(one.address for one in message.recipients)]
        assert not any("\n" in text or "\0" in text for text in kept)


@pytest.mark.parametrize("chunk", [b".", b".\r\n", b"\r\n.\r\n", b"\n", b"\0"])
def test_cve_2017_16944_lone_dots_in_chunks(chunk: bytes, tmp_path: Path) -> None:
    server = Server(tmp_path, BASIC + "chunking_advertise_hosts = *\n")
    started = time.process_time()
    sent = server.talk(
        b"EHLO x\r\n",
        b"MAIL FROM:<>\r\nRCPT TO:<a@test.ex>\r\n",
        b"BDAT %d\r\n%s" % (len(chunk), chunk),
        b"BDAT 0 LAST\r\n",
        b"QUIT\r\n",
    )
    assert time.process_time() - started < 1
    assert sent.endswith("221 mail.test closing connection\r\n")


def test_cve_2017_16943_chunks_and_resets(tmp_path: Path) -> None:
    """RSET, MAIL and faults between chunks leave nothing behind."""
    server = Server(tmp_path, BASIC + "chunking_advertise_hosts = *\n")
    begin = b"MAIL FROM:<>\r\nRCPT TO:<a@test.ex>\r\nBDAT 5\r\nA: b\n"
    sent = server.talk(
        b"EHLO x\r\n",
        begin,
        b"RSET\r\n",
        b"BDAT 1\r\nx",
        begin,
        b"MAIL FROM:<x@b.test>\r\n",
        b"RSET\r\n",
        b"MAIL FROM:<>\r\nRCPT TO:<a@test.ex>\r\n",
        b"BDAT 10 LAST\r\nC: d\r\n\r\ne\n",
        b"QUIT\r\n",
    )
    assert sent.endswith("221 mail.test closing connection\r\n")
    ((message, body),) = server.queue.messages
    assert body == b"e\n"
    assert "A:" not in headers_of(message)


def test_refused_messages_leave_nothing_behind(tmp_path: Path) -> None:
    """After a refusal at the end of the data the next message is checked like any other (Postfix, 20260803)."""
    server = Server(
        tmp_path,
        """
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
mail:
  accept set acl_m_mail = yes
rcpt:
  accept domains = test.ex
data:
  deny condition = ${if def:h_x-bad:}
  accept
""",
    )
    sent = server.talk(
        *UP_TO_DATA,
        b"X-Bad: 1\r\n\r\n.\r\n",
        b"RCPT TO:<other@elsewhere.test>\r\n",
        b"DATA\r\n",
        b"MAIL FROM:<t@b.test>\r\n",
        b"RCPT TO:<other@elsewhere.test>\r\n",
        b"RCPT TO:<b@test.ex>\r\n",
        b"DATA\r\n",
        b"Subject: good\r\n\r\n.\r\n",
        b"QUIT\r\n",
    )
    replies = [line for line in sent.split("\r\n") if line[3:4] == " "]
    assert replies[5:9] == [
        "550 Administrative prohibition",
        "503 sender not yet given",
        "503 valid RCPT command must precede DATA",
        "250 OK",
    ]
    ((message, _),) = server.queue.messages
    assert [one.address for one in message.recipients] == ["b@test.ex"]
    assert message.sender == "t@b.test"


def test_starttls_forgets_what_came_with_it(tmp_path: Path) -> None:
    """CVE-2011-0411: what a client sends with STARTTLS, before TLS, is never a command."""
    server = Server(tmp_path, BASIC + "tls_advertise_hosts = *\n")
    session = server.session(b"EHLO x\r\n", b"STARTTLS\r\nMAIL FROM:<evil@b.test>\r\n", is_hasty=True)
    session.run()
    assert session.counters.mails == 0


COMMANDS = st.sampled_from([
    b"EHLO x\r\n",
    b"HELO x\r\n",
    b"MAIL FROM:<>\r\n",
    b"MAIL FROM:<a@b.test> SIZE=1\r\n",
    b"RCPT TO:<a@test.ex>\r\n",
    b"RCPT TO:<@>\r\n",
    b"DATA\r\n",
    b"Subject: x\r\n\r\nbody\r\n.\r\n",
    b".\r\n",
    b"BDAT 3\r\nabc",
    b"BDAT 0 LAST\r\n",
    b"BDAT 7 LAST\r\nA: b\r\n\n",
    b"BDAT x\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"VRFY a@test.ex\r\n",
    b"AUTH PLAIN\r\n",
    b"STARTTLS\r\n",
    b"HELP\r\n",
    b"QUIT\r\n",
    b"\r\n",
    b"\0\r\n",
    b"\xff\xfe\r\n",
])  # fmt: skip


@pytest.mark.slow
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.lists(COMMANDS, min_size=1, max_size=4), max_size=12), is_hasty=st.booleans())
def test_any_order_of_commands(
    parts: list[list[bytes]], is_hasty: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever comes in whatever order: replies are well formed, and messages have a sender and recipients."""
    server = Server(tmp_path_factory.mktemp("any"), BASIC + "chunking_advertise_hosts = *\n")
    sent = server.talk(*(b"".join(piece) for piece in parts), is_hasty=is_hasty)
    for line in sent.removesuffix("\r\n").split("\r\n"):
        assert line[:3].isdigit()
        assert line[3] in " -"
    for message, _ in server.queue.messages:
        assert message.recipients
        assert message.id
    assert not any("Traceback" in entry for entry in server.logs.lines)

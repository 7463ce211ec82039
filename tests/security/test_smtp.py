"""Commands of any length, number, order and form: an answer to each, and no state that lies."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eximious.receive.ending import REFUSALS
from tests.security.place import EHLO, ENVELOPE, FAREWELL, server, shared_server


def test_cve_2019_16928(tmp_path: Path) -> None:
    """A very long EHLO."""
    there = server(tmp_path)
    said = there.talk(b"EHLO " + b"x" * 100_000 + b"\r\n", b"NOOP\r\n", b"QUIT\r\n")
    assert "\r\n501 " in said
    assert said.endswith("250 OK\r\n" + FAREWELL)
    assert not there.queue.messages


def test_cve_2017_16944(tmp_path: Path) -> None:
    """A chunk that is a lone dot is text, not an end."""
    there = server(tmp_path)
    started = time.process_time()
    said = there.talk(*ENVELOPE, b"BDAT 3\r\n.\r\n", b"BDAT 6 LAST\r\n\r\n.\r\nx", b"QUIT\r\n")
    assert time.process_time() - started < 1
    assert said.endswith(FAREWELL)
    assert [body for _, body in there.queue.messages] == [b".\n\n.\nx\n"]


BDAT = [b"BDAT 5\r\nabcde", b"BDAT 0\r\n", b"BDAT 0 LAST\r\n", b"BDAT x\r\n", b"BDAT 3 LAST\r\nabc", b"BDAT -1\r\n"]
OTHERS = [b"RSET\r\n", b"NOOP\r\n", b"DATA\r\n", b"EHLO c.test\r\n", *ENVELOPE[1:], b"\r\n", b".\r\n"]


@settings(max_examples=60, deadline=1000)
@given(st.lists(st.sampled_from([*BDAT, *OTHERS]), max_size=12))
def test_cve_2017_16943(commands: list[bytes]) -> None:
    """Chunks and other commands in any order."""
    there = shared_server()
    said = there.talk(*ENVELOPE, *commands, b"\r\n.\r\n", b"QUIT\r\n")
    codes = {line[:3] for line in said.split("\r\n") if line}
    assert all(code.isdigit() for code in codes)
    assert "421" not in codes or "221" not in codes
    for message, _ in there.queue.messages:
        assert message.recipients


# What comes after the first chunk, and the codes of the answers from then on. Chunks that are refused bring octets that
# are no commands.
AFTER_A_CHUNK = [
    ((b"BDAT x\r\n",), ["501"]),
    ((b"BDAT 99999999999999999999\r\n",), ["501"]),
    ((b"BDAT\r\n",), ["501"]),
    ((b"MAIL FROM:<evil@b.test>\r\n", b"BDAT 6\r\nQUIT\r\n", b"RSET\r\n"), ["503", "503", "250"]),
    ((b"RCPT TO:<evil@d.test>\r\n", b"BDAT 0 LAST\r\n"), ["503", "503"]),
    ((b"DATA\r\n", b"BDAT 6 LAST\r\nRSET\r\n", b"NOOP\r\n"), ["503", "503", "503"]),
    ((b"NOOP\r\n", b"BDAT 2 LAST\r\n\r\n"), ["250", "250"]),
    ((b"EHLO again\r\n", b"RSET\r\n", b"BDAT 6 LAST\r\nQUIT\r\n", b"DATA\r\n"), ["503", "250", "503", "503"]),
    ((b"BDAT 0\r\n", b"BDAT 0 LAST\r\n"), ["504", "250"]),
    ((b"RSET\r\n", b"BDAT 4 LAST\r\nEVIL", b"MAIL FROM:<>\r\n"), ["250", "503", "250"]),
]


@pytest.mark.parametrize("is_pipelined", [False, True])
@pytest.mark.parametrize(("commands", "codes"), AFTER_A_CHUNK)
def test_cve_2020_28019(commands: tuple[bytes, ...], codes: list[str], is_pipelined: bool, tmp_path: Path) -> None:
    """An error between chunks, and what comes then."""
    there = server(tmp_path, "pipelining_advertise_hosts = *\nsmtp_enforce_sync = false\n")
    first = b"BDAT 6\r\nA: b\r\n"
    pieces = [first + b"".join(commands)] if is_pipelined else [first, *commands]
    said = there.talk(*ENVELOPE, *pieces, b"QUIT\r\n")
    assert "554 SMTP synchronization error" not in said
    answers = said.partition("250 6 byte chunk received\r\n")[2].split("\r\n")
    assert [line[:3] for line in answers if line[3:4] == " "][: len(codes)] == codes
    assert all(message.sender == "a@b.test" for message, _ in there.queue.messages)
    assert "evil" not in "".join(str(one.address) for message, _ in there.queue.messages for one in message.recipients)


@settings(max_examples=100, deadline=1000)
@given(
    st.lists(st.sampled_from([b"a", b".", b"\r\n", b"QUIT"])).map(b"".join),
    st.integers(min_value=8, max_value=60),
    st.booleans(),
)
def test_cve_2020_28024(body: bytes, size: int, is_split: bool) -> None:
    """A chunk that says that it is shorter, or longer, than what comes: what is read is what it said."""
    there = shared_server("smtp_enforce_sync = false\n")
    data = b"A: b\r\n\r\n" + body + b"\r\nNOOP\r\n" * 10
    pieces = [data[at : at + 1] for at in range(len(data))] if is_split else [data]
    there.talk(*ENVELOPE, b"BDAT %d LAST\r\n" % size, *pieces)
    expected = data[8:size].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if expected and not expected.endswith(b"\n"):
        expected += b"\n"
    assert [text for _, text in there.queue.messages][:1] == [expected]


PARAMETERS = [
    b" =", b" SIZE=", b" =x", b" BODY=", b" AUTH=", b" RET=", b" ENVID=", b"  ", b" SIZE", b" ===", b" SIZE==",
    b" =SIZE", b" SIZE=99999999999999999999999", b" BODY=8BITMIME=", b" \t", b" = =", b" X" * 2000, b"=" * 5000,
    b" SMTPUTF8=", b" PRDR=x",
]  # fmt: skip


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_cve_2020_28022(parameter: bytes, tmp_path: Path) -> None:
    """Parameters without names or values: taken, or an error of syntax, and the next command is understood."""
    there = server(tmp_path, "dsn_advertise_hosts = *\nsmtputf8_advertise_hosts = *\nprdr_enable\n")
    for command in (b"MAIL FROM:<>", b"MAIL FROM:<a@b.test>", b"RCPT TO:<c@d.test>"):
        said = there.talk(
            EHLO,
            b"MAIL FROM:<>\r\n" if command[:4] == b"RCPT" else b"NOOP\r\n",
            command + parameter + b"\r\n",
            b"NOOP\r\n",
            b"QUIT\r\n",
        )
        assert said.endswith("250 OK\r\n" + FAREWELL)
        assert said.split("\r\n")[-4][:4] in ("250 ", "501 ", "552 ", "555 ")


def test_cve_2020_28017(tmp_path: Path) -> None:
    """No more recipients than are allowed."""
    there = server(tmp_path, "recipients_max = 10\nrecipients_max_reject = false\n")
    recipients = [b"RCPT TO:<c%d@d.test>\r\n" % number for number in range(20)]
    said = there.talk(*ENVELOPE[:2], *recipients, b"DATA\r\n", b"X: y\r\n\r\n.\r\n", b"QUIT\r\n")
    assert said.count("452 too many recipients") == 10
    assert len(there.queue.messages[0][0].recipients) == 10


def test_cve_2020_28020(tmp_path: Path) -> None:
    """No longer headers than are allowed."""
    there = server(tmp_path, "header_maxsize = 1K\n")
    there.talk(*ENVELOPE, b"DATA\r\n", b"X: " + b"y\r\n " * 2000 + b"\r\n\r\n.\r\n", b"QUIT\r\n")
    assert not there.queue.messages


COMMANDS = [
    b"", b" ", b"MAIL", b"MAIL FROM", b"MAIL FROM:", b"RCPT TO:<", b"HELO", b"EHLO", b"HELO \xff", b"EHLO [",
    b"EHLO [IPv6:", b"\xff" * 500, b"AUTH", b"AUTH =", b"VRFY", b"EXPN", b"ETRN", b"ETRN #", b"BDAT", b"STARTTLS x",
    b"HELP " + b"x" * 5000, b"\t\t\t", b"MAIL FROM:<" + b'"' * 3000, b"RCPT TO:" + b"<" * 3000, b"RCPT TO:<@a,@b:c@d",
    b"NOOP " + b"\x7f" * 100,
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_cve_2020_28023(command: bytes, tmp_path: Path) -> None:
    """Commands that end too soon: each has one answer, and those after it have theirs."""
    there = server(
        tmp_path,
        "acl_smtp_vrfy = accept\nacl_smtp_expn = accept\nacl_smtp_etrn = accept\nsmtp_max_unknown_commands = 100\n",
    )
    before = there.talk(EHLO, b"NOOP\r\n", b"QUIT\r\n").removesuffix("250 OK\r\n" + FAREWELL)
    said = there.talk(EHLO, command + b"\r\n", b"NOOP\r\n", b"QUIT\r\n")
    assert said.endswith("250 OK\r\n" + FAREWELL)
    answer = said.removeprefix(before).removesuffix("250 OK\r\n" + FAREWELL).split("\r\n")
    assert [line[3] for line in answer[:-1]] == ["-"] * (len(answer) - 2) + [" "]


def test_many_commands_of_no_use_end_the_session(tmp_path: Path) -> None:
    there = server(tmp_path)
    said = there.talk(EHLO, *[b"NOOP\r\n"] * 100)
    assert said.endswith("554 Too many nonmail commands\r\n")
    said = there.talk(EHLO, *[b"\xff\r\n"] * 100)
    assert said.endswith("500 Too many unrecognized commands\r\n")


@pytest.mark.parametrize("text", [b"'; DROP TABLE x; --", b"#x' OR '1'='1", b"x'||chr(0)", b"#`touch pwned`", b"@x;y"])
def test_cve_2025_26794(text: bytes, tmp_path: Path) -> None:
    """The argument of ETRN is a key among the hints, whatever is in it."""
    there = server(tmp_path, "acl_smtp_etrn = accept\n")
    said = there.talk(EHLO, b"ETRN " + text + b"\r\n", b"NOOP\r\n", b"QUIT\r\n")
    assert said.endswith(FAREWELL)
    assert not list(tmp_path.rglob("pwned"))


NAMES = 2000


def test_cve_2022_37452(tmp_path: Path) -> None:
    """An address with very many names, and names with very many addresses: a few are looked at."""
    zone = "".join(f"7.2.0.192.in-addr.arpa PTR n{number}.test\n" for number in range(NAMES))
    zone += "".join(f"n{number}.test A 198.51.100.{number % 250}\n" for number in range(NAMES))
    there = server(tmp_path, "host_lookup = *\nacl_smtp_connect = accept logwrite = <$sender_host_name>\n", zone)
    said = there.talk(EHLO, b"QUIT\r\n")
    assert said.endswith(FAREWELL)
    assert "main: <>" in there.logs.lines
    asked: list[tuple[str, str]] = there.services.dns.asked  # type: ignore[attr-defined]
    assert len(asked) < 200


@pytest.mark.parametrize("count", [1, 1000])
def test_cve_2022_37452_aliases(count: int, tmp_path: Path) -> None:
    """The same for names that are confirmed: all of them long."""
    label = ("a" * 60 + ".") * 3
    zone = "".join(f"7.2.0.192.in-addr.arpa PTR n{number}.{label}test\n" for number in range(count))
    zone += "".join(f"n{number}.{label}test A 192.0.2.7\n" for number in range(count))
    there = server(tmp_path, "host_lookup = *\nacl_smtp_rcpt = accept hosts = ^n0\n", zone)
    said = there.talk(*ENVELOPE, b"QUIT\r\n")
    assert "250 Accepted" in said


def test_whoever_is_refused_everything_does_not_stay_for_ever(tmp_path: Path) -> None:
    there = server(tmp_path, "message_size_limit = ${if\n")
    said = there.talk(b"NOOP\r\n" * 1000)
    assert said.count("421 Temporary local problem") == REFUSALS + 1

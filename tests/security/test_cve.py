"""Vulnerabilities that Exim and its neighbours had: what triggered them must do nothing here, and do it quickly."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eximious.address.delivery import Address
from eximious.daemon import pid_file
from eximious.daemon.environment import clean
from eximious.dns.wire import MalformedResponse, decode
from eximious.errors import ConfigError, ConfigErrors
from eximious.expand.template import compile
from eximious.logs.log import Logs
from eximious.logs.printing import entry
from eximious.proxyprotocol.parse import ProxyError
from eximious.proxyprotocol.parse import parse as parse_proxy
from eximious.spool.header_file import dump, load
from eximious.spool.message import Header, Message, Recipient
from eximious.taint import Tainted, is_tainted
from tests.expand.context import answer, make_context
from tests.receive.place import Server

OPEN = "acl_smtp_rcpt = accept\nacl_smtp_mail = accept\nchunking_advertise_hosts = *\n"
EHLO = b"EHLO c.test\r\n"
ENVELOPE = (EHLO, b"MAIL FROM:<a@b.test>\r\n", b"RCPT TO:<c@d.test>\r\n")


def server(folder: Path, text: str = "") -> Server:
    return Server(folder, OPEN + text)


# --- logs -------------------------------------------------------------------------------------------------------------


def test_cve_2010_4344(tmp_path: Path) -> None:
    """Very long headers in the reject log: cut off, and the process lives on."""
    there = server(tmp_path, "acl_smtp_data = deny\nlog_selector = +all\nheader_maxsize = 8M\n")
    lines = b"".join(b"X-%d: " % number + b"h" * 900 + b"\r\n" for number in range(1000))
    said = there.talk(*ENVELOPE, b"DATA\r\n", lines + b"\r\n.\r\n", b"NOOP\r\n", b"QUIT\r\n")
    assert "550 Administrative prohibition" in said
    assert said.endswith("221 mail.test closing connection\r\n")
    assert not there.queue.messages


def test_cve_2011_1764() -> None:
    """Per cent signs and braces from outside are no format and no template."""
    assert entry("DKIM: d=%s%n%n${run{x}}") == "DKIM: d=%s%n%n${run{x}}"


def test_log_lines_cannot_be_forged() -> None:
    forged = entry("x\n2026-11-24 12:00:00 1xW000-0 <= forged@x.test")
    assert "\n" not in forged


# --- expansion --------------------------------------------------------------------------------------------------------

DOUBLE = [
    ("${if >{$value}{1}{yes}{no}}", "2014_2972"),
    ("${if ={$value}{0}{yes}{no}}", "2014_2972"),
    ("${sort{$value}{lt}{$item}}", "2019_13917"),
    ("${sort{$value:x}{>}{$item}}", "2019_13917"),
    ("${map{$value}{$item}}", "2019_13917"),
    ("${filter{$value}{eq{$item}{x}}}", "2019_13917"),
    ("${reduce{$value}{}{$item}}", "2019_13917"),
    ("${if inlist{x}{$value}{yes}{no}}", "2019_13917"),
    ("${if match{x}{\\N^\\Q$value\\E\\N}{yes}{no}}", "2019_10149"),
    ("${if forany{$value}{eq{$item}{x}}{yes}{no}}", "2019_10149"),
    ("${rfc2047:$value}", "2014_2957"),
    ("${quote:$value}", "2019_10149"),
    ("${lc:$h_from:}", "2014_2957"),
    ("$sender_address $return_path", "2019_10149"),
]


@pytest.mark.parametrize(("text", "identifier"), DOUBLE)
def test_what_came_from_outside_is_not_expanded(text: str, identifier: str, tmp_path: Path) -> None:
    """CVE-2014-2957, CVE-2014-2972, CVE-2019-10149, CVE-2019-13917."""
    target = tmp_path / identifier
    hostile = Tainted(f"${{run{{/usr/bin/touch {target}}}}}")
    context = make_context()
    context.message.sender = Tainted(f"{hostile}@x.test")
    context.message.headers = [Header(f"From: {hostile}\n", "F")]
    context.lookup_value = hostile
    answer(text, context)
    assert not target.exists()


@pytest.mark.parametrize("local_part", ["${run{/bin/touch\\tpwned}}", '"${run{/bin/touch pwned}}"', "root+${run{x}}"])
def test_cve_2019_10149(local_part: str, tmp_path: Path) -> None:
    """A local part that looks like an expansion stays as it is."""
    there = server(tmp_path, "acl_smtp_data = warn log_message = for $recipients\n")
    there.talk(*ENVELOPE[:2], f"RCPT TO:<{local_part}@d.test>\r\n".encode(), b"DATA\r\n", b"X: y\r\n\r\n.\r\n")
    addresses = [str(recipient.address) for message, _ in there.queue.messages for recipient in message.recipients]
    assert addresses in ([], [f"{local_part}@d.test"])
    assert not Path("pwned").exists()


@pytest.mark.parametrize("text", ["warn log_message = $recipients", " accept message = $recipients"])
def test_no_acl_is_made_of_what_came_from_outside(text: str, tmp_path: Path) -> None:
    there = server(tmp_path, f"acl_smtp_predata = {text}\nbegin acl\nc:\n  accept\n")
    said = there.talk(*ENVELOPE[:2], b'RCPT TO:<"${run{/bin/touch pwned}}"@d.test>\r\n', b"DATA\r\n", b"QUIT\r\n")
    assert "451 Temporary local problem - please try later" in said
    assert there.logs.lines[0].startswith("main panic: attempt to use tainted ACL text")
    assert not Path("pwned").exists()


def test_taint_reaches_every_sink() -> None:
    """The program that a tainted string names is not run, nor is its file read."""
    context = make_context()
    lines: list[str] = context.services.__dict__["logs"].lines
    context.message.sender = Tainted("/etc/passwd")
    for text in ("${readfile{$sender_address}}", "${run{$sender_address}}", "${lookup{x}lsearch{$sender_address}}"):
        assert answer(text, context).startswith("Failed: ")
    assert len(lines) == 3
    assert all("ainted" in line for line in lines)
    assert is_tainted(compile("$sender_address").expand(context))


# --- privileges and files ---------------------------------------------------------------------------------------------


def test_cve_2016_1531() -> None:
    """The caller's environment does not reach what is run."""
    main = make_context().config.main
    environment = {"PERL5OPT": "-Mevil", "LD_PRELOAD": "/x", "PATH": "/x", "TZ": "UTC"}
    clean(main, environment)
    assert not {"PERL5OPT", "LD_PRELOAD", "PATH"} & set(environment)


def test_cve_2020_28014(tmp_path: Path) -> None:
    """The file with the process id follows no links, and only our own is removed."""
    target = tmp_path / "target"
    target.write_text("precious")
    link = tmp_path / "pid"
    link.symlink_to(target)
    pid_file.write(str(link))
    assert target.read_text() == "precious"
    assert not link.is_symlink()
    link.unlink()
    link.symlink_to(target)
    pid_file.remove(str(link))
    assert target.read_text() == "precious"
    other = tmp_path / "other"
    other.write_text("1\n")
    pid_file.remove(str(other))
    assert other.exists()


def test_cve_2020_28007(tmp_path: Path) -> None:
    """A link in place of a log does not lead out of the log's folder."""
    from eximious.logs.destination import Destinations

    target = tmp_path / "target"
    (tmp_path / "mainlog").symlink_to(target)
    logs = Logs(Destinations(f"{tmp_path}/%slog", False))
    logs.to_stderr = None
    logs.main("text")
    logs.close()
    assert not target.exists()


# --- the spool --------------------------------------------------------------------------------------------------------

LINES = ["\n", "\r", "\0", "\r\n", "\n1xW000-0-H\nmail 8 8\n", "\n-local\n"]


@pytest.mark.parametrize("end", LINES)
def test_cve_2020_28015(end: str) -> None:
    """CVE-2020-28015, CVE-2020-28021: a line end in what a client says does not become one in the spool."""
    message = Message()
    message.id = "1xW000-000000001Ab-2cde"
    message.sender = Tainted("a@b.test")
    message.authenticated_sender = Tainted(f"x{end}-manual_thaw")
    message.client.helo_name = Tainted(f"x{end}-manual_thaw")
    message.recipients = [Recipient(Tainted("c@d.test"))]
    message.headers = [Header("Subject: x\n")]
    try:
        data = dump(message)
    except ValueError:
        return
    again = load(data, message.id)
    assert again.sender == "a@b.test"
    assert not again.manual_thaw
    assert [recipient.address for recipient in again.recipients] == ["c@d.test"]


@pytest.mark.parametrize("end", [b"\n", b"\0", b"+0A", b"+0D", b"+00", b"\r"])
@pytest.mark.parametrize("parameter", [b"AUTH=x", b"ENVID=x", b"ORCPT=rfc822;x"])
def test_cve_2020_28021(end: bytes, parameter: bytes, tmp_path: Path) -> None:
    there = server(tmp_path, "dsn_advertise_hosts = *\n")
    is_rcpt = parameter.startswith(b"ORCPT")
    injected = b" " + parameter + end + b"-manual_thaw"
    mail = b"MAIL FROM:<a@b.test>" + (b"" if is_rcpt else injected) + b"\r\n"
    rcpt = b"RCPT TO:<c@d.test>" + (injected if is_rcpt else b"") + b"\r\n"
    there.talk(EHLO, mail, rcpt, b"DATA\r\n", b"Subject: x\r\n\r\nx\r\n.\r\n", b"QUIT\r\n")
    for message, _ in there.queue.messages:
        again = load(dump(message), message.id)
        assert not again.manual_thaw
        assert len(again.recipients) == len(message.recipients)


@settings(max_examples=30)
@given(st.text(alphabet=st.characters(max_codepoint=255, blacklist_characters="\n\0"), min_size=1, max_size=200))
def test_cve_2020_28026(text: str) -> None:
    """Lines of any length and content survive the spool."""
    message = Message()
    message.id = "1xW000-000000001Ab-2cde"
    message.headers = [Header(f"X: {text * 20}\n")]
    assert load(dump(message), message.id).headers[0].text == message.headers[0].text


@pytest.mark.parametrize("name", ["a\\", "\\", "x\\n", 'x"', "a\\0b"])
def test_cve_2019_15846(name: str) -> None:
    """A backslash at the end of a name that TLS brings goes into the spool and comes back."""
    from eximious.tls_session import TlsSession

    message = Message()
    message.id = "1xW000-000000001Ab-2cde"
    message.client.tls = TlsSession()
    message.client.tls.sni = Tainted(name)
    message.client.tls.peer_dn = Tainted(name)
    again = load(dump(message), message.id)
    assert again.client.tls is not None
    assert (again.client.tls.sni, again.client.tls.peer_dn) == (name, name)


# --- SMTP -------------------------------------------------------------------------------------------------------------


def test_cve_2019_16928(tmp_path: Path) -> None:
    """A very long EHLO."""
    there = server(tmp_path)
    said = there.talk(b"EHLO " + b"x" * 100_000 + b"\r\n", b"NOOP\r\n", b"QUIT\r\n")
    assert "\r\n50" in said
    assert not there.queue.messages


@pytest.mark.parametrize("size", range(1, 12))
def test_cve_2018_6789(size: int) -> None:
    """Base64 of any length: an answer or an error."""
    assert answer(f"${{base64d:{'A' * size}}}") is not None


def test_cve_2017_16944(tmp_path: Path) -> None:
    """A chunk that is a lone dot is text, not an end."""
    there = server(tmp_path)
    said = there.talk(*ENVELOPE, b"BDAT 3\r\n.\r\n", b"BDAT 5 LAST\r\nX:y\r\n", b"QUIT\r\n")
    assert said.endswith("221 mail.test closing connection\r\n")
    assert len(there.queue.messages) <= 1


BDAT = [b"BDAT 5\r\nabcde", b"BDAT 0\r\n", b"BDAT 0 LAST\r\n", b"BDAT x\r\n", b"BDAT 3 LAST\r\nabc", b"BDAT -1\r\n"]
OTHERS = [b"RSET\r\n", b"NOOP\r\n", b"DATA\r\n", b"EHLO c.test\r\n", *ENVELOPE[1:], b"\r\n", b".\r\n"]


@settings(max_examples=30)
@given(st.lists(st.sampled_from([*BDAT, *OTHERS]), max_size=12))
def test_cve_2017_16943(commands: list[bytes]) -> None:
    """CVE-2017-16943, CVE-2020-28019, CVE-2020-28024: chunks and other commands in any order."""
    there = shared_server()
    said = there.talk(*ENVELOPE, *commands, b"\r\n.\r\n", b"QUIT\r\n")
    codes = {line[:3] for line in said.split("\r\n") if line}
    assert all(code.isdigit() for code in codes)
    assert "421" not in codes or "221" not in codes


_shared: list[Server] = []


def shared_server() -> Server:
    """One server for all examples of a property."""
    if not _shared:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            _shared.append(server(Path(folder)))
    return _shared[0]


PARAMETERS = [b" =", b" SIZE=", b" =x", b" BODY=", b" AUTH=", b" RET=", b" ENVID=", b"  ", b" SIZE", b" ==="]


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_cve_2020_28022(parameter: bytes, tmp_path: Path) -> None:
    """Parameters without names or values."""
    said = server(tmp_path).talk(EHLO, b"MAIL FROM:<>" + parameter + b"\r\n", b"QUIT\r\n")
    assert said.endswith("221 mail.test closing connection\r\n")


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


def test_cve_2021_38371(tmp_path: Path) -> None:
    """What came in the clear behind STARTTLS is not obeyed."""
    there = server(tmp_path, "tls_advertise_hosts = *\nacl_smtp_starttls = accept\n")
    said = there.talk(EHLO + b"STARTTLS\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n", is_hasty=True)
    assert "250 OK" not in said


@pytest.mark.parametrize("text", [b"'; DROP TABLE x; --", b"#x' OR '1'='1", b"x'||chr(0)"])
def test_cve_2025_26794(text: bytes, tmp_path: Path) -> None:
    """The argument of ETRN is a key among the hints, whatever is in it."""
    there = server(tmp_path, "acl_smtp_etrn = accept\n")
    said = there.talk(EHLO, b"ETRN " + text + b"\r\n", b"NOOP\r\n", b"QUIT\r\n")
    assert said.endswith("221 mail.test closing connection\r\n")


@pytest.mark.parametrize("text", ["x'; DROP", "x' OR '1'='1", "x\0y"])
def test_cve_2025_67896(text: str) -> None:
    """A key of ratelimit in the hints: found again, and nothing else."""
    from eximious.hints.memory import MemoryHints
    from eximious.hints.record import Callout

    hints = MemoryHints(lambda: 0.0)
    record = Callout()
    record.result = "accept"
    hints.callout.put(text, record)
    assert hints.callout.get("x") is None
    found = hints.callout.get(text)
    assert found is not None
    assert found.result == "accept"


# --- DNS, PROXY, JSON -------------------------------------------------------------------------------------------------

HEADER = struct.pack("!HHHHHH", 1, 0x8180, 0, 1, 0, 0)


def record(kind: int, data: bytes, length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return HEADER + b"\1x\0" + struct.pack("!HHIH", kind, 1, 60, size) + data


CRAFTED = [
    record(16, b"\xff" + b"a" * 10),  # a string longer than the record
    record(16, b"\xff" + b"a" * 255, 65535),
    record(12, b"\xc0\x0c"),
    record(12, b"\xc0\x17"),  # a name that points to itself
    record(12, b"\x3f" + b"a" * 10),
    record(15, b"\0"),
    record(28, b"\0" * 3),
    record(52, b"\1"),
    HEADER,
    HEADER[:11],
    b"",
]


@pytest.mark.parametrize("octets", CRAFTED)
def test_cve_2023_42119(octets: bytes) -> None:
    """CVE-2012-5671, CVE-2023-42119: records that lie about their lengths."""
    try:
        decode(octets)
    except MalformedResponse:
        return


def test_cve_2012_5671() -> None:
    """A TXT record as long as one can be."""
    chunks = (b"\xff" + b"k" * 255) * 250
    assert sum(len(part) for part in decode(record(16, chunks)).answer[0].data) == 255 * 250


def test_cve_2026_40684() -> None:
    """Names from the DNS with octets that do not print."""
    name = b"\5\0\xff\\.\n\0"
    shown = decode(record(12, name)).answer[0].data
    assert all("!" <= character <= "~" for character in str(shown))


@given(st.binary(max_size=100))
def test_cve_2023_42117(octets: bytes) -> None:
    for beginning in (b"PROXY TCP4 ", b"PROXY TCP6 ", b"\r\n\r\n\0\r\nQUIT\n", b""):
        try:
            parse_proxy(beginning + octets)
        except ProxyError:
            continue


JSON = ['{"a":', '{"a', "{", '{"a":"\\', "[1,2", '{"a":[[[[', '"', "", '{"a":"\xff"}', '{"a"}', "[" * 5000]


@pytest.mark.parametrize("text", JSON)
def test_cve_2026_40685(text: str) -> None:
    """CVE-2026-40685: JSON that ends too soon."""
    context = make_context()
    context.message.sender = Tainted(text)
    for expression in ("${extract json{a}{$sender_address}}", "${extract json{1}{$sender_address}}"):
        assert answer(expression, context) is not None
    assert answer("${extract json{a}{$sender_address}{$value}{none}}", context) is not None


@pytest.mark.parametrize("text", ["\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xff\xfe", "=?utf-8?Q?=C3?=", "=?utf-8?B?w?="])
def test_cve_2026_40686(text: str) -> None:
    """CVE-2026-40686: headers whose UTF-8 ends in the middle of a character."""
    context = make_context()
    context.message.headers = [Header(f"From: {text}\n", "F")]
    for expression in ("$h_from:", "${utf8clean:$h_from:}", "${from_utf8:$h_from:}", "${rfc2047d:$h_from:}"):
        assert answer(expression, context) is not None


def test_cve_2020_12783(tmp_path: Path) -> None:
    """CVE-2020-12783, CVE-2023-42114, CVE-2023-42116, CVE-2026-40687: the SPA authenticator is not offered."""
    with pytest.raises((ConfigError, ConfigErrors)):
        Server(tmp_path, "begin authenticators\ns:\n driver = spa\n public_name = NTLM\n server_password = x\n")


@pytest.mark.parametrize("sender", ["<;touch pwned;>", "`touch pwned`@x", "|touch pwned", "/tmp/pwned", "-oQ/x@y"])
def test_cve_2020_7247(sender: str, tmp_path: Path) -> None:
    """OpenSMTPD's: an address is never a command, an option or a file."""
    there = server(tmp_path)
    there.talk(EHLO, f"MAIL FROM:<{sender}>\r\n".encode(), b"RCPT TO:<c@d.test>\r\n", b"DATA\r\n", b"x\r\n.\r\n")
    assert not list(tmp_path.rglob("pwned"))
    address = Address(sender)
    assert address.address == sender


# --- smuggling --------------------------------------------------------------------------------------------------------

ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\0", b"\n\r", b"\r\n\0"]
SMUGGLED = b"MAIL FROM:<evil@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nX: smuggled\r\n\r\nevil\r\n.\r\n"
MATRIX = [(before, after) for before in ENDS for after in ENDS if (before, after) != (b"\r\n", b"\r\n")]


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize(("before", "after"), MATRIX)
def test_cve_2023_51766(before: bytes, after: bytes, is_split: bool, tmp_path: Path) -> None:
    """Only CRLF . CRLF ends a message, however it arrives."""
    there = server(tmp_path)
    text = b"X: y\r\n\r\nbody" + before + b"." + after + SMUGGLED
    pieces = [text[:10], *(text[i : i + 1] for i in range(10, 30)), text[30:]] if is_split else [text]
    there.talk(*ENVELOPE, b"DATA\r\n", *pieces, b"QUIT\r\n")
    assert len(there.queue.messages) <= 1
    for message, _ in there.queue.messages:
        assert message.sender == "a@b.test"


@pytest.mark.parametrize(("before", "after"), MATRIX)
def test_cve_2023_51766_in_chunks(before: bytes, after: bytes, tmp_path: Path) -> None:
    there = server(tmp_path)
    text = b"X: y\r\n\r\nbody" + before + b"." + after + SMUGGLED
    there.talk(*ENVELOPE, b"BDAT %d LAST\r\n" % len(text) + text, b"QUIT\r\n")
    assert [message.sender for message, _ in there.queue.messages] == ["a@b.test"]


@pytest.mark.parametrize(("before", "after"), MATRIX)
def test_cve_2023_51766_when_sending(before: bytes, after: bytes) -> None:
    """Nothing we send has an end before its end, whatever is in the spool."""
    from eximious.smtp.sending import TextSender

    sender = TextSender()
    sent = sender.send(b"X: y\n\nbody" + before + b"." + after + b"more\n") + sender.finish()
    assert sent.count(b"\r\n.\r\n") == 1
    assert sent.endswith(b"\r\n.\r\n")
    assert b"\n" not in sent.replace(b"\r\n", b"")
    assert b"\r" not in sent.replace(b"\r\n", b"")


def test_state_is_reset_after_a_refused_message(tmp_path: Path) -> None:
    """Postfix's of 2026: a second message does not skip the checks because the first was refused."""
    there = server(tmp_path, "acl_smtp_data = deny message = no\n")
    said = there.talk(*ENVELOPE, b"DATA\r\n", b"X: y\r\n\r\n.\r\n", b"DATA\r\n", b"RCPT TO:<c@d.test>\r\n", b"QUIT\r\n")
    assert "354" in said
    assert said.count("354") == 1
    assert "503 sender not yet given" in said

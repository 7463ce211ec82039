"""What came from outside is text: never a template, a program, a file or an ACL, and gone with its message."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.address.delivery import Address
from eximious.expand.template import compile
from eximious.spool.message import Header
from eximious.taint import Tainted, is_tainted
from tests.deliver.place import Place
from tests.expand.context import answer, make_context
from tests.security.place import EHLO, ENVELOPE, server


def assert_inert(text: str, folder: Path) -> None:
    """Nothing happens when this is expanded with a program to run in all that a stranger can say."""
    target = folder / "pwned"
    hostile = Tainted(f"${{run{{/usr/bin/touch {target}}}}}")
    context = make_context()
    context.message.sender = Tainted(f"{hostile}@x.test")
    context.message.headers = [Header(f"From: {hostile}\n", "F")]
    context.lookup_value = hostile
    answer(text, context)
    assert not target.exists()


@pytest.mark.parametrize("text", ["${rfc2047:$value}", "${lc:$h_from:}", "${address:$h_from:}", "${domain:$h_from:}"])
def test_cve_2014_2957(text: str, tmp_path: Path) -> None:
    """From: with an expansion in it."""
    assert_inert(text, tmp_path)


@pytest.mark.parametrize("condition", [">", "<", ">=", "<=", "=", "=="])
def test_cve_2014_2972(condition: str, tmp_path: Path) -> None:
    """What a lookup gave, compared as a number."""
    assert_inert(f"${{if {condition}{{$value}}{{1}}{{yes}}{{no}}}}", tmp_path)


SORTS = [
    "${sort{$value}{lt}{$item}}",
    "${sort{$value:x}{>}{$item}}",
    "${sort{$value:x}{==}{$item}}",
    "${sort{$value:x}{lti}{${lc:$item}}}",
    "${map{$value}{$item}}",
    "${filter{$value}{eq{$item}{x}}}",
    "${reduce{$value}{}{$item}}",
    "${if inlist{x}{$value}{yes}{no}}",
    "${if forany{$value}{eq{$item}{x}}{yes}{no}}",
]


@pytest.mark.parametrize("text", SORTS)
def test_cve_2019_13917(text: str, tmp_path: Path) -> None:
    """Lists whose items look like expansions."""
    assert_inert(text, tmp_path)


@pytest.mark.parametrize("local_part", ["${run{/bin/touch\\tpwned}}", '"${run{/bin/touch pwned}}"', "root+${run{x}}"])
def test_cve_2019_10149(local_part: str, tmp_path: Path) -> None:
    """A local part that looks like an expansion stays as it is."""
    there = server(tmp_path, "acl_smtp_data = warn log_message = for $recipients\n")
    there.talk(*ENVELOPE[:2], f"RCPT TO:<{local_part}@d.test>\r\n".encode(), b"DATA\r\n", b"X: y\r\n\r\n.\r\n")
    addresses = [str(recipient.address) for message, _ in there.queue.messages for recipient in message.recipients]
    assert addresses in ([], [f"{local_part}@d.test"])
    assert not Path("pwned").exists()


ROUTERS = "no:\n  driver = redirect\n  data = :fail: $local_part is unknown\n  allow_fail\n"


def test_cve_2019_10149_bounce(tmp_path: Path) -> None:
    """Nor is it one in the bounce, where Exim's was expanded."""
    target = tmp_path / "pwned"
    place = Place(tmp_path, routers=ROUTERS, transports="", main="bounce_message_text = about $bounce_recipient\n")
    address = Tainted(f"${{run{{/bin/touch\t{target}}}}}@x.test")
    place.send(address, sender=Tainted(f'"${{run{{/bin/touch\t{target}}}}}"@y.test'))
    for bounce in place.submitted():
        place.deliver(bounce.id)
    place.close()
    assert any("${run{/bin/touch" in line for line in place.log)
    assert not target.exists()


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


@pytest.mark.parametrize("sender", ["<;touch pwned;>", "`touch pwned`@x", "|touch pwned", "/tmp/pwned", "-oQ/x@y"])
def test_cve_2020_7247(sender: str, tmp_path: Path) -> None:
    """OpenSMTPD's: an address is never a command, an option or a file."""
    there = server(tmp_path)
    there.talk(EHLO, f"MAIL FROM:<{sender}>\r\n".encode(), b"RCPT TO:<c@d.test>\r\n", b"DATA\r\n", b"x\r\n.\r\n")
    assert not list(tmp_path.rglob("pwned"))
    address = Address(sender)
    assert address.address == sender


# --- one message, and the next ----------------------------------------------------------------------------------------

SECOND = (b"MAIL FROM:<d@e.test>\r\n", b"RCPT TO:<c@d.test>\r\n", b"RSET\r\n", b"QUIT\r\n")


def test_cve_2022_3559(tmp_path: Path) -> None:
    """What a regular expression captured in one message is not there in the next, nor in the next ACL."""
    captures = "${if match{$sender_address}{^(a)(@.*)}{yes:$1|$2}{no:$1|$2}}"
    options = f"acl_smtp_predata = show\nacl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n  accept logwrite = {captures}\n"
    there = server(tmp_path, options + "show:\n  accept logwrite = then:$1|$2\n")
    there.talk(*ENVELOPE, b"DATA\r\n", b"Subject: x\r\n\r\n.\r\n", *SECOND)
    shown = [line.removeprefix("main: ") for line in there.logs.lines if "|" in line]
    assert shown == ["yes:a|@b.test", "then:|", "no:|"]


ZONE = """
_dmarc.b.test TXT "v=DMARC1; p=reject"
b.test TXT "v=spf1 -all"
"""
VARIABLES = "$dmarc_status|$dmarc_domain_policy|$dmarc_used_domain|$spf_result|$h_from:|$acl_m_x|$message_size"


def test_cve_2022_3620(tmp_path: Path) -> None:
    """What was found out about one message is not known of the next, whether that was taken, refused or given up."""
    options = (
        "dmarc_mode = rfc9989\nacl_smtp_rcpt = rcpt\nacl_smtp_data = data\nbegin acl\n"
        f"rcpt:\n  accept logwrite = <{VARIABLES}>\n"
        "data:\n  warn !spf = pass\n  warn dmarc_status = *\n  warn set acl_m_x = kept\n"
        f"  warn logwrite = <{VARIABLES}>\n"
        "  deny condition = ${if def:h_x-bad:}\n  accept\n"
    )
    there = server(tmp_path, options, ZONE)
    first = b"From: a@b.test\r\n%s\r\n.\r\n"
    there.talk(*ENVELOPE, b"DATA\r\n", first % b"", *ENVELOPE[1:], b"DATA\r\n", first % b"X-Bad: 1\r\n", *SECOND)
    shown = [line.removeprefix("main: ") for line in there.logs.lines if line.count("|") == 6]
    assert len(shown) == 5
    assert [line for line in shown if "kept" in line] == [shown[1], shown[3]]
    assert "|reject|b.test|fail|a@b.test|kept|" in shown[1]
    for line in (shown[0], shown[2], shown[4]):
        assert line.startswith(("<none||||||", "<||||||")), line

"""What strangers send is in the logs, bounded, printable and as it came; what is secret is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.logs.printing import entry
from tests.security.place import ENVELOPE, FAREWELL, server
from tests.send.servers import ScriptedServer
from tests.send.test_delivery import PLAIN, ROUTERS, TRANSPORTS


def test_cve_2010_4344(tmp_path: Path) -> None:
    """Very long headers in the reject log: cut off, and the process lives on."""
    there = server(tmp_path, "acl_smtp_data = deny\nlog_selector = +all\nheader_maxsize = 8M\n")
    lines = b"".join(b"X-%d: " % number + b"h" * 900 + b"\r\n" for number in range(1000))
    said = there.talk(*ENVELOPE, b"DATA\r\n", lines + b"\r\n.\r\n", b"NOOP\r\n", b"QUIT\r\n")
    assert "550 Administrative prohibition" in said
    assert said.endswith(FAREWELL)
    assert not there.queue.messages


SIGNATURE = (
    b"DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=%%s%%n%%n.test; s=%%x; h=from; bh=YQ==; b=YQ==;\r\n"
    b"\ti=${run{/bin/touch\t%s}}@%%s%%n%%n.test\r\nFrom: a@b.test\r\n\r\nx\r\n.\r\n"
)


def test_cve_2011_1764(tmp_path: Path) -> None:
    """Per cent signs in a signature are no format in the line about it."""
    assert entry("DKIM: d=%s%n%n${run{x}}") == "DKIM: d=%s%n%n${run{x}}"
    there = server(tmp_path, "log_selector = +dkim_verbose\n")
    there.talk(*ENVELOPE, b"DATA\r\n", SIGNATURE % b"x", b"QUIT\r\n")
    assert any("d=%s%n%n.test" in line for line in there.logs.lines)
    assert len(there.queue.messages) == 1


def test_cve_2011_1407(tmp_path: Path) -> None:
    """What a signature says is not expanded, neither as the list of signers nor in the ACL that is asked about them."""
    target = tmp_path / "pwned"
    there = server(
        tmp_path,
        "acl_smtp_dkim = check\ndkim_verify_signers = $dkim_signers : $sender_address_domain\nbegin acl\ncheck:\n"
        "  accept logwrite = $dkim_cur_signer $dkim_identity ${lc:$dkim_identity} $dkim_domain\n",
    )
    there.talk(*ENVELOPE, b"DATA\r\n", SIGNATURE % str(target).encode(), b"QUIT\r\n")
    assert any("${run{/bin/touch" in line for line in there.logs.lines), there.logs.lines
    assert not target.exists()


@pytest.mark.parametrize("is_strict", [False, True])
@pytest.mark.parametrize(
    "key",
    [
        "c2VjcmV0",
        "-----BEGIN PRIVATE KEY-----\\nc2VjcmV0\\n-----END PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\\nc2VjcmV0\\n",
    ],
)
def test_cve_2016_9963(key: str, is_strict: bool, tmp_path: Path) -> None:
    """A private key that cannot be used appears in no log, no spool file and no bounce."""
    from tests.deliver.place import Place

    sign = (
        'dkim_domain = sender.example\n  dkim_selector = s\n  dkim_private_key = "' + key + '"\n'
        f"  dkim_strict = {str(is_strict).lower()}\n"
    )
    script = PLAIN.partition("*data")[0] if is_strict else PLAIN
    with ScriptedServer(script) as far:
        place = Place(
            tmp_path,
            main="log_selector = +all\nreturn_size_limit = 0\nlocal_from_check = false",
            routers=ROUTERS.format(hosts=f"127.0.0.1::{far.port}"),
            transports=TRANSPORTS.format(options=sign),
            retry="* *",  # given up at once
        )
        message_id = place.send("a@far.example")
    if is_strict:
        place.deliver(message_id, give_up=True)
    place.close()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "exim.conf"]
    assert kept
    for path in kept:
        assert b"c2VjcmV0" not in path.read_bytes(), path
    if is_strict:
        (bounce,) = place.submitted()
        assert "a@far.example" in bounce.body


def test_log_lines_cannot_be_forged() -> None:
    forged = entry("x\n2026-11-24 12:00:00 1xW000-0 <= forged@x.test")
    assert "\n" not in forged


SECRET = b"AHVzZXIAc2VjcmV0"


@pytest.mark.parametrize(
    "pieces",
    [
        (b"AUTH PLAIN " + SECRET + b"\r\n",),  # before EHLO: a protocol error
        (b"EHLO x\r\n", b"AUTH PLAIN " + SECRET + b"\r\n", b"AUTH  plain\t" + SECRET + b"\r\n"),
        (b"EHLO x\r\nAUTH PLAIN " + SECRET + b"\r\nMAIL FROM:<>\r\n",),  # too early
        (b"EHLO x\r\n", *[b"AUTH PLAIN " + SECRET + b"\r\n"] * 5),  # too many
    ],
)
def test_passwords_are_in_no_log(pieces: tuple[bytes, ...], tmp_path: Path) -> None:
    there = server(tmp_path, "log_selector = +all\nsmtp_max_synprot_errors = 2\n")
    there.talk(*pieces)
    assert not any(SECRET.decode() in line for line in there.logs.lines)
    assert any("AUTH" in line.upper() and "***" in line for line in there.logs.lines)

"""What becomes of the headers of a message that comes in."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious import EXIM_VERSION
from eximious.context import Context
from eximious.net.memory import MemoryStream
from eximious.receive.local import Request, submit
from eximious.receive.submitter import Submitter
from eximious.smtp.dsn import NEVER
from tests.receive.place import CLIENT, Server, headers_of

USER = Submitter("joe", "Joe User", 1000, 1000, address="joe@test.ex")
TRUSTED = Submitter("boss", "The Boss", 1001, 1001, address="boss@test.ex", is_trusted=True)
RECEIVED_LINE = "Received: here;\n\tTue, 24 Nov 2026 12:00:00 +0000\n"
RECEIVED = "received_header_text = Received: here\n"
DATE = "Date: Tue, 24 Nov 2026 12:00:00 +0000\n"


def submitted(
    server: Server, text: str, *, submitter: Submitter = USER, recipients: str = "a@test.ex", **settings: object
) -> tuple[int, str]:
    """Hand a message over on standard input; the exit status and what standard error says."""
    context = Context(server.config, server.services)
    context.client.is_local = True
    context.client.ident = submitter.login
    request = Request()
    complaints: list[str] = []
    request.complain = complaints.append
    request.recipients = recipients.split()
    for name, value in settings.items():
        setattr(request, name, value)
    stream = MemoryStream(text.encode("latin-1"))
    return submit(context, request, submitter, stream), "".join(complaints)


def stored(server: Server) -> str:
    """Headers and body of the one message that was accepted, ids as marks."""
    ((message, body),) = server.queue.messages
    return (headers_of(message) + "\n" + body.decode("latin-1")).replace(message.id, "ID")


def by_smtp(server: Server, text: str, sender: str = "s@b.test") -> str:
    """What is stored of a message that comes by SMTP."""
    lines = text.replace("\n", "\r\n").encode("latin-1")
    server.talk(
        b"EHLO x\r\n",
        f"MAIL FROM:<{sender}>\r\n".encode("latin-1"),
        b"RCPT TO:<a@test.ex>\r\n",
        b"DATA\r\n",
        lines + b".\r\n",
    )
    return stored(server)


LOCAL = {
    "nothing at all": (
        "",
        f"{RECEIVED_LINE}Message-Id: <EID@mail.test>\nFrom: Joe User <joe@test.ex>\n{DATE}\n",
    ),
    "everything is there": (
        f"{DATE}Message-ID: <mine@here>\nFrom: joe@test.ex\n\nbody\n",
        f"{RECEIVED_LINE}{DATE}Message-ID: <mine@here>\nFrom: joe@test.ex\n\nbody\n",
    ),
    "somebody else in From:": (
        f"{DATE}Message-ID: <mine@here>\nFrom: Other <other@test.ex>\n\n",
        f"{RECEIVED_LINE}{DATE}Message-ID: <mine@here>\n"
        "From: Other <other@test.ex>\nSender: Joe User <joe@test.ex>\n\n",
    ),
    "a Sender: that is not to be believed": (
        f"{DATE}Message-ID: <mine@here>\nFrom: other@test.ex\nSender: third@test.ex\n\n",
        f"{RECEIVED_LINE}{DATE}Message-ID: <mine@here>\nFrom: other@test.ex\nSender: Joe User <joe@test.ex>\n\n",
    ),
    "a login name in From:": (
        f"{DATE}Message-ID: <mine@here>\nFrom: joe\n\n",
        f"{RECEIVED_LINE}{DATE}Message-ID: <mine@here>\nFrom: Joe User <joe@test.ex>\n\n",
    ),
    "addresses without a domain": (
        f"{DATE}Message-ID: <mine@here>\nFrom: joe@test.ex\nTo: anna, Bert <bert>\nCc: c@there.test\n\n",
        f"{RECEIVED_LINE}{DATE}Message-ID: <mine@here>\n"
        "From: joe@test.ex\nTo: anna@test.ex, Bert <bert@test.ex>\nCc: c@there.test\n\n",
    ),
    "Resent- headers": (
        f"{DATE}Message-ID: <mine@here>\nFrom: x@there.test\nResent-To: y@there.test\n\n",
        f"{RECEIVED_LINE}Resent-{DATE}Resent-Message-Id: <EID@mail.test>\n"
        f"{DATE}Message-ID: <mine@here>\nFrom: x@there.test\nResent-To: y@there.test\n"
        "Resent-From: Joe User <joe@test.ex>\n\n",
    ),
    "a From line of a mailbox": (
        f"From joe Tue Nov 24 12:00:00 2026\n{DATE}Message-ID: <mine@here>\nFrom: joe@test.ex\n\n",
        f"{RECEIVED_LINE}{DATE}Message-ID: <mine@here>\nFrom: joe@test.ex\n\n",
    ),
    "Bcc: stays if the recipients are arguments": (
        f"{DATE}Message-ID: <mine@here>\nFrom: joe@test.ex\nBcc: x@test.ex\n\n",
        f"{RECEIVED_LINE}{DATE}Message-ID: <mine@here>\nFrom: joe@test.ex\nBcc: x@test.ex\n\n",
    ),
    "a dot ends the message": (
        f"{DATE}Message-ID: <mine@here>\nFrom: joe@test.ex\n\none\n.\ntwo\n",
        f"{RECEIVED_LINE}{DATE}Message-ID: <mine@here>\nFrom: joe@test.ex\n\none\n",
    ),
}


@pytest.mark.parametrize("name", LOCAL)
def test_local(name: str, tmp_path: Path) -> None:
    server = Server(tmp_path, RECEIVED)
    text, expected = LOCAL[name]
    assert submitted(server, text) == (0, "")
    assert stored(server) == expected


def test_trusted_callers_are_believed(tmp_path: Path) -> None:
    server = Server(tmp_path, RECEIVED)
    text = f"{DATE}Message-ID: <mine@here>\nFrom: other@test.ex\nSender: third@test.ex\n\n"
    assert submitted(server, text, submitter=TRUSTED, sender="else@test.ex") == (0, "")
    assert "Sender: third@test.ex\n" in stored(server)
    assert server.queue.messages[0][0].sender == "else@test.ex"


def test_local_from_check_off(tmp_path: Path) -> None:
    server = Server(tmp_path, RECEIVED + "local_from_check = false\n")
    submitted(server, f"{DATE}From: other@test.ex\n\n")
    assert "Sender:" not in stored(server)


def test_local_sender_retain(tmp_path: Path) -> None:
    server = Server(tmp_path, RECEIVED + "local_from_check = false\nlocal_sender_retain\n")
    submitted(server, f"{DATE}From: other@test.ex\nSender: third@test.ex\n\n")
    assert "Sender: third@test.ex\n" in stored(server)


@pytest.mark.parametrize(
    ("address", "is_own"),
    [("joe@test.ex", True), ("other@test.ex", False), ("pre-joe@test.ex", True), ("joe+list@test.ex", True)],
)
def test_local_affixes(address: str, is_own: bool, tmp_path: Path) -> None:
    """local_from_prefix and local_from_suffix: what else counts as the caller's address."""
    server = Server(tmp_path, RECEIVED + "local_from_prefix = pre-\nlocal_from_suffix = +*\n")
    submitted(server, f"{DATE}From: {address}\n\n")
    assert ("Sender:" not in stored(server)) == is_own


class TestRecipientsFromHeaders:
    """``-t``."""

    def test_all_headers(self, tmp_path: Path) -> None:
        server = Server(tmp_path)
        text = f"{DATE}From: joe@test.ex\nTo: a@b.test, B <b@b.test>\nCc: c@b.test\nBcc: d@b.test\n\nbody\n"
        assert submitted(server, text, recipients="", recipients_from_header=True) == (0, "")
        message, _ = server.queue.messages[0]
        assert [one.address for one in message.recipients] == ["a@b.test", "b@b.test", "c@b.test", "d@b.test"]
        assert "Bcc" not in headers_of(message)

    def test_arguments_are_taken_out(self, tmp_path: Path) -> None:
        server = Server(tmp_path)
        text = f"{DATE}From: joe@test.ex\nTo: a@b.test, b@b.test\n\nbody\n"
        assert submitted(server, text, recipients="b@b.test", recipients_from_header=True) == (0, "")
        assert [one.address for one in server.queue.messages[0][0].recipients] == ["a@b.test"]

    def test_arguments_are_added(self, tmp_path: Path) -> None:
        server = Server(tmp_path, "extract_addresses_remove_arguments = false\n")
        text = f"{DATE}From: joe@test.ex\nTo: a@b.test\n\nbody\n"
        assert submitted(server, text, recipients="b@b.test", recipients_from_header=True) == (0, "")
        addresses = [one.address for one in server.queue.messages[0][0].recipients]
        assert sorted(addresses) == ["a@b.test", "b@b.test"]

    def test_resent(self, tmp_path: Path) -> None:
        server = Server(tmp_path)
        text = f"{DATE}From: joe@test.ex\nTo: a@b.test\nResent-To: b@b.test\nResent-Bcc: c@b.test\n\nbody\n"
        assert submitted(server, text, recipients="", recipients_from_header=True) == (0, "")
        message, _ = server.queue.messages[0]
        assert [one.address for one in message.recipients] == ["b@b.test", "c@b.test"]
        assert "Resent-Bcc" not in headers_of(message)

    def test_none(self, tmp_path: Path) -> None:
        server = Server(tmp_path)
        status, text = submitted(
            server, "Subject: x\n\n", recipients="", recipients_from_header=True, error_reports="p"
        )
        assert status == 1
        assert text == "exim: message has no recipients\n" or "recipients" in text
        assert not server.queue.messages


class TestSmtp:
    """Messages from the network are left alone, as far as possible."""

    def test_plain(self, tmp_path: Path) -> None:
        server = Server(tmp_path, "acl_smtp_rcpt = accept\n")
        assert by_smtp(server, "Subject: x\nTo: nobody\n\nbody\n") == (
            f"Received: from [{CLIENT}] (helo=x)\n\tby mail.test with esmtp (Exim {EXIM_VERSION})\n"
            "\t(envelope-from <s@b.test>)\n\tid ID\n\tfor a@test.ex;\n\tTue, 24 Nov 2026 12:00:00 +0000\n"
            "Subject: x\nTo: nobody\n\nbody\n"
        )

    @pytest.mark.parametrize(
        ("control", "headers", "expected"),
        [
            ("", "Subject: x\n", "Subject: x\n"),
            (
                "submission",
                "Subject: x\n",
                f"Subject: x\nMessage-Id: <EID@mail.test>\nFrom: s@b.test\n{DATE}",
            ),
            ("submission/sender_retain", "Sender: z@b.test\nFrom: s@b.test\n", "Sender: z@b.test\nFrom: s@b.test\n"),
        ],
    )
    def test_submission(self, control: str, headers: str, expected: str, tmp_path: Path) -> None:
        server = Server(
            tmp_path,
            f"{RECEIVED}acl_smtp_mail = accept {'control = ' + control if control else ''}\nacl_smtp_rcpt = accept\n",
        )
        found = by_smtp(server, headers + "\n")
        for line in expected.split("\n"):
            assert line + "\n" in found

    def test_added_and_removed_headers(self, tmp_path: Path) -> None:
        server = Server(
            tmp_path,
            RECEIVED
            + """
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  warn add_header = X-One: 1
       add_header = :at_start:X-Two: 2
       add_header = :after_received:X-Three: 3
       remove_header = X-Gone : ^X-Away
  accept
data:
  warn add_header = X-One: 1
       add_header = X-Four: first\\n second
       add_header = no header at all
  accept
""",
        )
        assert by_smtp(server, "Subject: x\nX-Gone: 1\nX-Away-1: 2\nX-Stays: 3\n\nbody\n") == (
            "X-Two: 2\nReceived: here;\n\tTue, 24 Nov 2026 12:00:00 +0000\nX-Three: 3\nSubject: x\nX-Stays: 3\n"
            "X-One: 1\nX-One: 1\nX-Four: first\n second\nX-ACL-Warn: no header at all\n\nbody\n"
        )

    def test_received_of_a_single_recipient_only(self, tmp_path: Path) -> None:
        server = Server(tmp_path, "acl_smtp_rcpt = accept\n")
        server.talk(
            b"HELO x\r\n",
            b"MAIL FROM:<>\r\n",
            b"RCPT TO:<a@test.ex>\r\n",
            b"RCPT TO:<b@test.ex>\r\n",
            b"DATA\r\n",
            b"\r\nbody\r\n.\r\n",
        )
        assert "\n\tfor " not in stored(server)


ADDED = [
    # Each new line for after_received and at_start_rfc goes before those that are there already.
    (":at_start_rfc:X-A: 1", "Received: by us\nReceived: old\nResent-To: r@x\nX-A: 1\nSubject: s\n"),
    (":after_received:X-A: 1", "Received: by us\nReceived: old\nX-A: 1\nResent-To: r@x\nSubject: s\n"),
    (":at_start:X-A: 1", "X-A: 1\nReceived: by us\nReceived: old\nResent-To: r@x\nSubject: s\n"),
    (
        ":at_start:X-A: 1\\n:at_start_rfc:X-B: 2\\n:at_start_rfc:X-C: 3",
        "X-A: 1\nReceived: by us\nReceived: old\nResent-To: r@x\nX-C: 3\nX-B: 2\nSubject: s\n",
    ),
]


@pytest.mark.parametrize(("added", "expected"), ADDED)
def test_places_of_added_headers(added: str, expected: str, tmp_path: Path) -> None:
    server = Server(tmp_path, f"{RECEIVED}acl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n  accept add_header = {added}\n")
    found = by_smtp(server, "Received: old\nResent-To: r@x\nSubject: s\n\nbody\n")
    assert found.replace(RECEIVED_LINE, "Received: by us\n") == f"{expected}\nbody\n"


REMOVED = [
    ("X-One : X-None", ["X-Two: b", "x-two: c"]),
    ("^X-T", ["X-One: a", "x-two: c"]),
    ("^(?i)x-t", ["X-One: a"]),
    ("^X-One\\\\s*::\\\\s*b", ["X-One: a", "X-Two: b", "x-two: c"]),
    ("X-T*", ["X-One: a", "X-Two: b", "x-two: c"]),
]


@pytest.mark.parametrize(("removed", "expected"), REMOVED)
def test_removed_headers(removed: str, expected: list[str], tmp_path: Path) -> None:
    server = Server(tmp_path, f"{RECEIVED}acl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n  accept remove_header = {removed}\n")
    found = by_smtp(server, "X-One: a\nX-Two: b\nx-two: c\n\nbody\n")
    assert found == RECEIVED_LINE + "\n".join(expected) + "\n\nbody\n"


@pytest.mark.parametrize("control", ["fakereject", "fakedefer"])
def test_no_notifications_after_a_fake_refusal(control: str, tmp_path: Path) -> None:
    server = Server(
        tmp_path,
        f"dsn_advertise_hosts = *\nacl_smtp_rcpt = accept\nacl_smtp_data = accept control = {control}\n",
    )
    server.talk(
        b"EHLO x\r\n",
        b"MAIL FROM:<s@b.test>\r\n",
        b"RCPT TO:<a@test.ex> NOTIFY=SUCCESS,DELAY\r\n",
        b"RCPT TO:<b@test.ex>\r\n",
        b"DATA\r\n",
        b"\r\nbody\r\n.\r\n",
    )
    ((message, _),) = server.queue.messages
    assert [recipient.dsn_flags for recipient in message.recipients] == [NEVER, NEVER]


IDS = [
    ("Message-ID: <a@x>\nMessage-ID: <b@x>\n", "I "),
    ("Message-ID: <a@x>\nResent-Message-ID: <b@x>\n", " I"),
    ("Message-ID: <a@x>\nResent-To: b@x\n", " T"),
]


@pytest.mark.parametrize(("headers", "kinds"), IDS)
def test_only_one_header_is_the_id(headers: str, kinds: str, tmp_path: Path) -> None:
    server = Server(tmp_path, "acl_smtp_rcpt = accept\n")
    by_smtp(server, headers + "\nbody\n")
    ((message, _),) = server.queue.messages
    assert "".join(header.kind for header in message.headers[1:]) == kinds

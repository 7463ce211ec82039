"""Bounces, warnings and success notifications: to whom, and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eximious.address.delivery import Address
from eximious.deliver.report_parts import LINE_LENGTH, diagnostic_code, folded, one_line, shown_address, status_of
from eximious.smtp.dsn import DELAY, FAILURE, NEVER, RETURN_FULL, RETURN_HEADERS, SUCCESS
from eximious.spool.message import Header, Recipient
from eximious.transports.outcome import failed
from tests.deliver.place import Place, Submitted
from tests.send.servers import ScriptedServer

ROUTERS = """
fail:
  driver = redirect
  local_parts = ^fail
  allow_fail
  data = :fail: there is no $local_part
defer:
  driver = redirect
  local_parts = ^defer
  allow_defer
  data = :defer: not now
far:
  driver = manualroute
  domains = far.example
  route_list = * {hosts}
  self = send
  transport = smtp
pipe:
  driver = redirect
  local_parts = pipe
  data = "|/bin/sh -c 'echo output; exit 1'"
  pipe_transport = pipe
box:
  driver = accept
  transport = box
"""
TRANSPORTS = """
smtp:
  driver = smtp
box:
  driver = appendfile
  file = /dev/null
pipe:
  driver = pipe
  path = /bin:/usr/bin
  return_fail_output
"""
MakePlace = Callable[..., Place]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[MakePlace]:
    made: list[Place] = []

    def make(main: str = "", hosts: str = "127.0.0.1::1", retry: str = "* * F,5d,10m") -> Place:
        main = main.replace("FOLDER", str(tmp_path))
        made.append(Place(tmp_path, main=main, routers=ROUTERS.format(hosts=hosts), transports=TRANSPORTS, retry=retry))
        return made[-1]

    yield make
    for each in made:
        each.close()


def without_mark(report: Submitted) -> str:
    """The report, with ``MARK`` for the boundary and no date."""
    mark = re.search(r"boundary=(\S+)", report.header)
    assert mark is not None
    text = f"{report.header}\n{report.body}".replace(mark[1], "MARK")
    return re.sub(r"^Date: .*\n", "", text, flags=re.MULTILINE)


BOUNCE = """\
X-Failed-Recipients: fail@x.ex
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example>
To: s@sender.example
References: <1@sender.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=MARK
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--MARK
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  fail@x.ex
    there is no fail

--MARK
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example

Action: failed
Final-Recipient: rfc822;fail@x.ex
Status: 5.0.0

--MARK
Content-type: message/rfc822

Return-path: <s@sender.example>
Received: here
Subject: test
Message-ID: <1@sender.example>

body

--MARK--
"""


def test_a_bounce(place: MakePlace) -> None:
    there = place()
    headers = [
        Header("Received: here\n", "P"),
        Header("Subject: test\n"),
        Header("Message-ID: <1@sender.example>\n", "I"),
    ]
    there.send("fail@x.ex", headers=headers)
    (bounce,) = there.submitted()
    assert (bounce.sender, bounce.recipients) == ("", ["s@sender.example"])
    assert without_mark(bounce) == BOUNCE
    assert there.log[1].startswith("<= <> R=")


def body_of(there: Place) -> str:
    """Of the only report."""
    (report,) = there.submitted()
    return without_mark(report)


def test_several_recipients_in_one_bounce(place: MakePlace) -> None:
    there = place()
    there.send("fail1@x.ex", "fail2@x.ex", "ok@x.ex")
    text = body_of(there)
    assert "X-Failed-Recipients: fail1@x.ex,\n  fail2@x.ex\n" in text
    assert "  fail1@x.ex\n    there is no fail1\n  fail2@x.ex\n    there is no fail2\n" in text
    assert text.count("Action: failed") == 2


@pytest.mark.parametrize(
    ("main", "attributes", "present", "absent"),
    [
        ("bounce_return_body = false", {}, "Content-type: text/rfc822-headers\n", "\nbody\n"),
        ("bounce_return_message = false", {}, "Status: 5.0.0\n\n--MARK--\n", "Return-path:"),
        ("", {"dsn_return": RETURN_HEADERS}, "Content-type: text/rfc822-headers\n", "\nbody\n"),
        ("bounce_return_body = false", {"dsn_return": RETURN_FULL}, "Content-type: message/rfc822\n", "rfc822-headers"),
        (
            "bounce_return_size_limit = 1",
            {"text": b"x\n" * 10000},
            "X-Exim-DSN-Information: Due to administrative limits only headers are returned\n",
            "\nx\n",
        ),
        ("", {"max_received_line_length": 1200}, "X-Exim-DSN-Information: ", "\nbody\n"),
        ("bounce_message_text = Call 42.", {}, "by mail delivery software.\nCall 42.\n", "\n\nA message"),
        ("errors_reply_to = help@mx.example", {}, "\nReply-To: help@mx.example\nAuto-Submitted: ", "\n\n\n\n"),
        ("dsn_from = Robot <robot@mx.example>", {}, "\nFrom: Robot <robot@mx.example>\n", "Mailer-Daemon"),
        ("", {"dsn_envid": "E1"}, "Reporting-MTA: dns; mx.example\nOriginal-Envelope-ID: E1\n", "X-Exim-DSN"),
    ],
)
def test_options(place: MakePlace, main: str, attributes: dict[str, object], present: str, absent: str) -> None:
    there = place(main)
    there.send("fail@x.ex", **attributes)
    text = body_of(there)
    assert present in text
    assert absent not in text


def test_message_file(place: MakePlace, tmp_path: Path) -> None:
    items = ["Subject: Oh\n", "Dear $sender_address,\n", "It said%s:\n"]
    (tmp_path / "texts").write_text("****\n".join(items))
    there = place("bounce_message_file = FOLDER/texts")
    there.send("fail@x.ex", "pipe@x.ex")
    text = body_of(there)
    assert "\nSubject: Oh\n" in text
    assert "\nDear s@sender.example,\n\n  pipe to |/bin/sh" in text
    name = "pipe to |/bin/sh -c 'echo output; exit 1'\n       generated by pipe@x.ex"
    assert f"\nIt said%s:\n\n------ {name} ------\n\noutput\n" in text


def test_what_stands_between_a_recipient_and_a_pipe_is_named() -> None:
    recipient = Address("a@x.ex")
    alias = Address("b@x.ex", parent=recipient)
    pipe = Address("b@x.ex", parent=alias)
    pipe.flags.add("pipe")
    pipe.redirected_file = "|/bin/cat"
    shown = "pipe to |/bin/cat\n    generated by b@x.ex\n    (ultimately generated from a@x.ex)\n"
    assert shown_address(pipe) == (shown, True)
    alias.parent = None
    assert shown_address(pipe) == ("pipe to |/bin/cat\n    generated by b@x.ex\n", True)


SHOWN = [  # an address and what it comes from, the recipient first; flags; how a report names it
    (["a@x.ex"], "", "a@x.ex\n"),
    (["a@x.ex", "b@y.ex"], "", "b@y.ex\n    (generated from a@x.ex)\n"),
    (["a@x.ex", "b@x.ex", "c@y.ex"], "", "c@y.ex\n    (ultimately generated from a@x.ex)\n"),
    (["a@x.ex", "c@y.ex", "c@y.ex"], "", "c@y.ex\n    (ultimately generated from a@x.ex)\n"),
    (["a@x.ex", "b@x.ex", "A@x.ex"], "", "A@x.ex\n"),  # redirected in a circle
    (["a@x.ex"], "hide_child", "a@x.ex\n"),
    (["a@x.ex", "b@y.ex"], "hide_child", "an undisclosed address\n    (generated from a@x.ex)\n"),
    (["a@x.ex", "b@y.ex", "c@y.ex"], "hide_child", "an undisclosed address\n    (ultimately generated from a@x.ex)\n"),
]


@pytest.mark.parametrize(("addresses", "flag", "shown"), SHOWN)
def test_the_recipient_behind_an_address_is_named(addresses: list[str], flag: str, shown: str) -> None:
    address = None
    for text in addresses:
        address = Address(text, parent=address)
    assert address is not None
    address.flags.update(flag.split())
    assert shown_address(address) == (shown, "undisclosed" not in shown)


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("/no/such", "Failed to open /no/such for error message texts: No such file or directory"),
        ("relative", "bounce_message_file is not absolute after expansion: 'relative'"),
        ("${if}", "Failed to expand bounce_message_file: '${if}'"),
        ("/x/$sender_address", "bounce_message_file is not untainted after expansion: '/x/s@sender.example'"),
    ],
)
def test_message_files_that_cannot_be_used(place: MakePlace, file: str, complaint: str) -> None:
    from eximious.taint import Tainted

    there = place(f"bounce_message_file = {file}")
    there.send("fail@x.ex", sender=Tainted("s@sender.example"))
    assert complaint in there.log
    assert "A message that you sent could not be delivered" in body_of(there)


def test_what_the_host_said(place: MakePlace) -> None:
    refusal = "550-5.1.1 nobody\n550 at all"
    script = f"220 far\n? EHLO\n250 far here\n? MAIL\n250 ok\n? RCPT\n{refusal}\n? QUIT"
    with ScriptedServer(script) as server:
        there = place(hosts=f"127.0.0.1::{server.port}")
        there.send("a@far.example")
    text = body_of(there)
    assert (
        "  a@far.example\n    host 127.0.0.1 [127.0.0.1]\n"
        "    SMTP error from remote mail server after RCPT TO:<a@far.example>:\n"
        "    550-5.1.1 nobody\n    550 at all\n"
    ) in text
    assert (
        "Action: failed\nFinal-Recipient: rfc822;a@far.example\nStatus: 5.1.1\nRemote-MTA: dns; 127.0.0.1\n"
        f"Remote-MTA: X-ip; [127.0.0.1]:{server.port}\nX-Remote-MTA-smtp-greeting: X-str; 220 far\n"
        "X-Remote-MTA-helo-response: X-str; 250 far here\nDiagnostic-Code: smtp; 550-5.1.1 nobody\n 550 at all\n\n"
    ) in text


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("SMTP error from remote mail server after RCPT TO:<a@b.example>: 550 no: really", "550 no: really"),
        ("LMTP error after DATA: 550 no", "550 no"),
        ("PRDR error after DATA: 550 no", "550 no"),
        ("SMTP timeout after DATA: no reply", ""),
    ],
)
def test_diagnostic_code(message: str, code: str) -> None:
    assert diagnostic_code(failed(message, 0)) == code


def test_errors_copy(place: MakePlace) -> None:
    there = place('errors_copy = other@x.ex a@x.ex : *@sender.example b@x.ex,$local_part-c@x.ex : "^(?x) s" d@x.ex')
    there.send("fail@x.ex")
    (bounce,) = there.submitted()
    assert bounce.recipients == ["s@sender.example", "b@x.ex", "s-c@x.ex"]


@pytest.mark.parametrize(
    ("flags", "reports"),
    [(0, 1), (FAILURE, 1), (FAILURE | SUCCESS, 1), (SUCCESS, 0), (DELAY, 0), (NEVER, 0)],
)
def test_who_wants_no_bounce_gets_none(place: MakePlace, flags: int, reports: int) -> None:
    there = place()
    message_id = there.queue()
    claimed = there.services.spool.claim(message_id)
    assert claimed is not None
    recipient = Recipient("fail@x.ex")
    recipient.dsn_flags = flags
    claimed.message.recipients.append(recipient)
    claimed.update()
    claimed.release()
    there.deliver(message_id)
    assert len(there.submitted()) == reports
    ignored = "fail@x.ex: error ignored: RFC 3461 DSN, failure notify not requested"
    assert (ignored in there.log) is (reports == 0)


WARNING = """\
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example>
To: s@sender.example
Content-Type: multipart/report; report-type=delivery-status; boundary=MARK
MIME-Version: 1.0
Subject: Warning: message ID delayed 24 hours

--MARK
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.example.

The message identifier is:     ID
The subject of the message is: test

The address to which the message has not yet been delivered is:

  defer@x.ex
    Delay reason: not now

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals if the message
remains undelivered. Eventually the mail delivery software will give up,
and when that happens, the message will be returned to you.

--MARK
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example

Action: delayed
Final-Recipient: rfc822;defer@x.ex
Status: 4.0.0

--MARK
Content-type: text/rfc822-headers

Return-path: <s@sender.example>
Received: here
Subject: test


--MARK--
"""


def test_warnings(place: MakePlace) -> None:
    there = place()
    message_id = there.send("defer@x.ex")
    assert there.submitted(message_id) == []
    there.time += 86460
    there.deliver(message_id)
    (warning,) = there.submitted(message_id)
    assert (warning.sender, warning.recipients) == ("", ["s@sender.example"])
    assert without_mark(warning).replace(message_id, "ID") == WARNING
    there.deliver(message_id)
    assert len(there.submitted(message_id)) == 1  # once is enough


@pytest.mark.parametrize(
    ("main", "attributes", "count"),
    [
        ("delay_warning = 1h:2h", {}, 1),
        ("delay_warning = ", {}, 0),
        ("delay_warning_condition = ${if match{$h_precedence:}{bulk}{no}{yes}}", {}, 1),
        ("delay_warning_condition = no", {}, 0),
        ("", {"sender": ""}, 0),
    ],
)
def test_when_warnings_are_sent(place: MakePlace, main: str, attributes: dict[str, str], count: int) -> None:
    there = place(main)
    message_id = there.queue("defer@x.ex", **attributes)  # type: ignore[arg-type]
    there.time += 86460
    there.deliver(message_id)
    assert len(there.submitted(message_id)) == count


def test_success_notifications(place: MakePlace) -> None:
    there = place()
    message_id = there.queue(dsn_envid="E1")
    claimed = there.services.spool.claim(message_id)
    assert claimed is not None
    for address, flags in (("a@x.ex", SUCCESS), ("b@x.ex", 0)):
        recipient = Recipient(address)
        recipient.dsn_flags = flags
        recipient.orcpt = f"rfc822;{address}"
        claimed.message.recipients.append(recipient)
    claimed.update()
    claimed.release()
    there.deliver(message_id)
    text = body_of(there)
    assert "\nSubject: Delivery Status Notification\n" in text
    assert "\nOriginal-Envelope-ID: E1\n" in text
    assert "Action: delivered\n" in text
    assert "Original-Recipient: rfc822;a@x.ex\n" in text
    assert "b@x.ex" not in text


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("550 5.1.1 no", "5.1.1"),
        ("550-5.7.1 no", "5.7.1"),
        ("450 4.2.0 no", "5.0.0"),
        ("550 no", "5.0.0"),
        ("", "5.0.0"),
    ],
)
def test_status_codes(message: str, status: str) -> None:
    assert status_of(failed(message), "5.0.0") == status


def test_fields_cannot_be_broken_out_of() -> None:
    assert one_line("a\r\nX-Evil: 1\n") == "a\\nX-Evil: 1\\n"
    text = folded("Diagnostic-Code: smtp; " + "word " * 400)
    lines = text.split("\n")
    assert all(len(line) <= LINE_LENGTH for line in lines)
    assert all(line.startswith(" ") for line in lines[1:])
    assert len(text) <= 1023 + 2 * len(lines)

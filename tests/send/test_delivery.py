"""The smtp transport with scripted servers: what is said to them, and what becomes of messages."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deliver.place import Place
from tests.send.servers import ScriptedServer

ROUTERS = """
remote:
  driver = manualroute
  route_list = * {hosts}
  self = send
  transport = smtp
"""
TRANSPORTS = """
smtp:
  driver = smtp
  command_timeout = 1s
  {options}
"""
MakePlace = Callable[..., Place]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[MakePlace]:
    made: list[Place] = []

    def make(hosts: str, options: str = "", retry: str = "* * F,1h,10m", main: str = "") -> Place:
        new = Place(
            tmp_path,
            main=main,
            routers=ROUTERS.format(hosts=hosts),
            transports=TRANSPORTS.format(options=options),
            retry=retry,
        )
        made.append(new)
        return new

    yield make
    for each in made:
        each.close()


PLAIN = """
220 far
? EHLO mx.example
250 far
? MAIL FROM:<s@sender.example>
250 ok
? RCPT TO:<a@far.example>
250 ok
? DATA
354 go
*data
250 thanks
? QUIT
221 bye
"""


def test_plain(place: MakePlace) -> None:
    with ScriptedServer(PLAIN) as server:
        there = place(f"127.0.0.1::{server.port}")
        there.send("a@far.example", text=b"..two\nbare\rcr\n.\nend")
    assert server.texts == [b"Received: here\r\nSubject: test\r\n\r\n...two\r\nbare\r\ncr\r\n..\r\nend\r\n.\r\n"]
    assert there.log == ['=> a@far.example R=remote T=smtp H=127.0.0.1 [127.0.0.1] C="250 thanks"', "Completed"]


PIPELINED = """
220 far
? EHLO
250-far
250-PIPELINING
250-SIZE 1000000
250-8BITMIME
250-DSN
250 HELP
? MAIL FROM:<s@sender.example> SIZE={size} BODY=8BITMIME RET=HDRS ENVID=e1
? RCPT TO:<a@far.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o@x
? RCPT TO:<b@far.example>
? RCPT TO:<c@far.example>
? DATA
250 ok
250 ok
550 5.1.1 not here
450-later
450 please
354 go
*data
250 thanks
? QUIT
"""


def test_pipelined(place: MakePlace) -> None:
    with ScriptedServer(PIPELINED.format(size=35 + 3 + 1024)) as server:
        there = place(f"127.0.0.1::{server.port}")
        message_id = there.queue(
            "a@far.example",
            "b@far.example",
            "c@far.example",
            facts={"body_type": 8},
            dsn_return=2,
            dsn_envid="e1",
        )
        claimed = there.services.spool.claim(message_id)
        assert claimed is not None
        claimed.message.recipients[0].dsn_flags = 3
        claimed.message.recipients[0].orcpt = "rfc822;o@x"
        claimed.message.facts["body_type"] = 8
        from eximious.deliver.message import deliver_claimed

        deliver_claimed(claimed, there.services)
        there.services.connections.close()
    error = "SMTP error from remote mail server after RCPT TO:"
    assert there.log[:3] == [
        '=> a@far.example R=remote T=smtp H=127.0.0.1 [127.0.0.1] C="250 thanks"',
        f"** b@far.example R=remote T=smtp H=127.0.0.1 [127.0.0.1] : {error}<b@far.example>: 550 5.1.1 not here",
        f"== c@far.example R=remote T=smtp defer (-44) H=127.0.0.1 [127.0.0.1]: {error}<c@far.example>: "
        "450-later\\n450 please",
    ]
    assert there.services.hints.retry.get("R:c@far.example:<s@sender.example>") is not None


CHUNKED = """
220 far
? EHLO
250-far
250-PIPELINING
250 CHUNKING
? MAIL FROM:<s@sender.example>
? RCPT TO:<a@far.example>
*bdat
250 ok
250 ok
250 all of it
? QUIT
"""


def test_chunking(place: MakePlace) -> None:
    with ScriptedServer(CHUNKED) as server:
        there = place(f"127.0.0.1::{server.port}")
        there.send("a@far.example", text=b".dot\nend")
    assert server.heard[3] == "BDAT 44 LAST"
    assert server.texts == [b"Received: here\r\nSubject: test\r\n\r\n.dot\r\nend\r\n"]
    assert there.log[0].endswith(' K C="250 all of it"')


@pytest.mark.parametrize(
    ("pipelining", "answers"),
    [
        # The answer to a part is read when the next one is on its way.
        (True, "? MAIL\n? RCPT\n*bdat\n250 ok\n250 ok\n250 header\n*bdat\n*bdat\n250 part\n250 all\n? QUIT\n"),
        (False, "? MAIL\n250 ok\n? RCPT\n250 ok\n*bdat\n250 header\n*bdat\n250 part\n*bdat\n250 all\n? QUIT\n"),
    ],
)
def test_large_messages_in_chunks(place: MakePlace, pipelining: bool, answers: str) -> None:
    begin = f"220 far\n? EHLO\n250-far\n{'250-PIPELINING' if pipelining else '250-X'}\n250 CHUNKING\n"
    text = b"0123456789012345678901234567890\n" * 12_000
    with ScriptedServer(begin + answers) as server:
        there = place(f"127.0.0.1::{server.port}")
        there.send("a@far.example", text=text)
    assert [line for line in server.heard if line.startswith("BDAT")] == [
        "BDAT 33",
        "BDAT 262144",
        "BDAT 133856 LAST",
    ]
    assert b"".join(server.texts).endswith(b"\r\n\r\n" + text.replace(b"\n", b"\r\n"))
    assert there.log[-1] == "Completed"


LMTP = """
220 far
? LHLO mx.example
250 far
? MAIL FROM:<s@sender.example>
250 ok
? RCPT TO:<a@far.example>
250 ok
? RCPT TO:<b@far.example>
250 ok
? RCPT TO:<c@far.example>
250 ok
? DATA
354 go
*data
250 first
550 second
450 third
? QUIT
"""


def test_lmtp(place: MakePlace) -> None:
    with ScriptedServer(LMTP) as server:
        there = place(f"127.0.0.1::{server.port}", "protocol = lmtp")
        there.send("a@far.example", "b@far.example", "c@far.example")
    assert there.log[:3] == [
        '=> a@far.example R=remote T=smtp H=127.0.0.1 [127.0.0.1] C="250 first"',
        "** b@far.example R=remote T=smtp H=127.0.0.1 [127.0.0.1] : LMTP error after DATA: 550 second",
        "== c@far.example R=remote T=smtp defer (0) H=127.0.0.1 [127.0.0.1]: LMTP error after DATA: 450 third",
    ]


REFUSALS: list[tuple[str, str, list[str]]] = [
    (
        "550 go away\n? QUIT",
        "",
        [
            "H={h}: SMTP error from remote mail server after initial connection: 550 go away",
            "** {a} H={h} : SMTP error from remote mail server after initial connection: 550 go away",
        ],
    ),
    (
        "451 not now\n? QUIT",
        "",
        [
            "H={h}: SMTP error from remote mail server after initial connection: 451 not now",
            "== {a} defer (0) H={h}: SMTP error from remote mail server after initial connection: 451 not now",
        ],
    ),
    (
        "220 x\n? EHLO\n500 what?\n? HELO mx.example\n550 No\n? QUIT",
        "",
        [
            "H={h}: SMTP error from remote mail server after HELO mx.example: 550 No",
            "** {a} H={h} : SMTP error from remote mail server after HELO mx.example: 550 No",
        ],
    ),
    (
        "220 x\n? HELO\n250 x\n? MAIL\n451 later\n? QUIT",
        "hosts_avoid_esmtp = *",
        [
            "H={h}: SMTP error from remote mail server after MAIL FROM:<s@sender.example>: 451 later",
            "== {a} defer (-45) H={h}: "
            "SMTP error from remote mail server after MAIL FROM:<s@sender.example>: 451 later",
        ],
    ),
    (
        "220 x\n? EHLO\n250 x\n? MAIL\n250 ok\n? RCPT\n250 ok\n? DATA\n452 full\n? QUIT",
        "",
        [
            "H={h}: SMTP error from remote mail server after DATA: 452 full",
            "== {a} defer (-46) H={h}: SMTP error from remote mail server after DATA: 452 full",
        ],
    ),
    (
        "220 x\n? EHLO\n250 x\n? MAIL\n250 ok\n? RCPT\n250 ok\n? DATA\n354 go\n*data\n554 spam\n? QUIT",
        "",
        ["** {a} H={h} : SMTP error from remote mail server after end of data: 554 spam"],
    ),
    (
        "220 x\n? EHLO\n250 x\n? MAIL\n250 ok\n? RCPT\n*close",
        "",
        [
            "H={h}: Remote host closed connection in response to RCPT TO:<a@far.example>",
            "== {a} defer (-18) H={h}: Remote host closed connection in response to RCPT TO:<a@far.example>",
        ],
    ),
    (
        "220 x\n? EHLO\n*eof",
        "",
        [
            "H={h}: SMTP timeout after EHLO mx.example: Connection timed out",
            "== {a} defer (110): Connection timed out H={h}: SMTP timeout after EHLO mx.example",
        ],
    ),
    (
        "220 x\n? EHLO\n250 x\n? MAIL\n250 ok\n? RCPT\n*eof",
        "",
        ["== {a} defer (110): Connection timed out H={h}: SMTP timeout after RCPT TO:<a@far.example>"],
    ),
    (
        "220 x\n? EHLO\n250 x\n? MAIL\n\n*close",
        "",
        [
            "H={h}: Malformed SMTP reply (an empty line) in response to MAIL FROM:<s@sender.example>",
            "== {a} defer (-19) H={h}: "
            "Malformed SMTP reply (an empty line) in response to MAIL FROM:<s@sender.example>",
        ],
    ),
    (
        "220 x\n? EHLO\n250-x\n250 PIPELINING\n? MAIL\n? RCPT\n? DATA\n250 ok\n550 no\n354 go\n*data\n554 none\n? QUIT",
        "",
        ["** {a} H={h} : SMTP error from remote mail server after RCPT TO:<a@far.example>: 550 no"],
    ),
    (
        "220 x\n? EHLO\n250 x\n? QUIT",
        "hosts_require_tls = *",
        [
            "H={h}: a TLS session is required, but the server did not offer TLS support",
            "== {a} defer (-38) H={h}: a TLS session is required, but the server did not offer TLS support",
        ],
    ),
    (
        "220 x\n? EHLO\n250-x\n250 STARTTLS\n? STARTTLS\n450 not now\n? QUIT",
        "hosts_require_tls = *",
        [
            "H={h}: a TLS session is required, but an attempt to start TLS failed",
            "== {a} defer (-38) H={h}: a TLS session is required, but an attempt to start TLS failed",
        ],
    ),
    (
        "*close",
        "protocol = submissions",
        [
            "== {a} defer (-37) H={h}: TLS session: "
            "(SSL_connect): error:0A000126:SSL routines::unexpected eof while reading"
        ],
    ),
    (
        "220 x\n? EHLO\n250 x\n? QUIT",
        "hosts_require_auth = *",
        [
            "H={h}: authentication required but host did not advertise AUTH support",
            "== {a} defer (-42) H={h}: authentication required but host did not advertise AUTH support",
        ],
    ),
]


@pytest.mark.parametrize(("script", "options", "expected"), REFUSALS)
def test_refusals(place: MakePlace, script: str, options: str, expected: list[str]) -> None:
    script = "\n".join(line or "\x00" for line in script.splitlines()).replace("\x00", "*empty")
    with ScriptedServer(script) as server:
        there = place(f"127.0.0.1::{server.port}", options)
        there.send("a@far.example")
    names = {"a": "a@far.example R=remote T=smtp", "h": "127.0.0.1 [127.0.0.1]"}
    assert there.log[: len(expected)] == [line.format(**names) for line in expected]


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def test_the_next_host_is_tried(place: MakePlace) -> None:
    closed = closed_port()
    with ScriptedServer(PLAIN) as server:
        hosts = f"hosts = 127.0.0.1::{closed}:127.0.0.1::{server.port}"
        there = place("127.0.0.1::1", f"{hosts}\n  hosts_override\n  allow_localhost")
        there.send("a@far.example")
    assert there.log == [
        "H=127.0.0.1 [127.0.0.1] Connection refused",
        '=> a@far.example R=remote T=smtp H=127.0.0.1 [127.0.0.1] C="250 thanks"',
        "Completed",
    ]
    record = there.services.hints.retry.get(f"T:[127.0.0.1]:127.0.0.1:{closed}")
    assert record is not None
    assert (record.errno, record.next_try) == (errno.ECONNREFUSED, there.time + 600)


def test_hosts_that_do_not_exist_are_looked_for_again(place: MakePlace) -> None:
    from eximious.dns.static import StaticResolver

    there = place("127.0.0.1::1", "hosts = one.far.example : two.far.example\n  hosts_override")
    there.services.__dict__["dns"] = StaticResolver("")
    there.send("a@far.example")
    text = "failed to lookup IP address for two.far.example"
    assert there.log == [f"== a@far.example R=remote T=smtp defer (-32): {text}"]
    for name in ("one", "two"):
        record = there.services.hints.retry.get(f"R:{name}.far.example")
        assert record is not None
        assert (record.errno, record.next_try) == (-32, there.time + 600)


def test_retry_times_are_kept(place: MakePlace) -> None:
    closed = closed_port()
    there = place(f"127.0.0.1::{closed}")
    message_id = there.send("a@far.example")
    there.deliver(message_id)
    there.deliver(message_id, forced=True)
    refused = "== a@far.example R=remote T=smtp defer (111): Connection refused"
    assert there.log == [
        "H=127.0.0.1 [127.0.0.1] Connection refused",
        refused,
        "== a@far.example R=remote T=smtp defer (-54): retry time not reached for any host for 'far.example'",
        "H=127.0.0.1 [127.0.0.1] Connection refused",
        refused,
    ]
    assert list(there.services.hints.wait("smtp").keys()) == ["127.0.0.1"]


def test_hosts_that_have_failed_for_too_long(place: MakePlace) -> None:
    there = place(f"127.0.0.1::{closed_port()}", retry="* * F,1h,10m")
    message_id = there.send("a@far.example")
    there.time += 3700
    there.deliver(message_id)
    there.time += 60
    there.send("b@far.example")
    log = [line for line in there.log if line.startswith(("==", "**"))]
    assert log == [
        "== a@far.example R=remote T=smtp defer (111): Connection refused",
        "== a@far.example R=remote T=smtp defer (111): Connection refused",
        "** a@far.example: retry timeout exceeded",
        "** b@far.example R=remote T=smtp : all hosts for 'far.example' have been failing for a long time "
        "(and retry time not reached)",
    ]


def transaction(*answers: str, last: str = "250 thanks") -> str:
    """MAIL to the end of a text; `answers` are those to RCPT."""
    rcpt = "".join(f"? RCPT\n{answer}\n" for answer in answers)
    return f"? MAIL\n250 ok\n{rcpt}? DATA\n354 go\n*data\n{last}\n"


BEGIN = "220 far\n? EHLO\n250 far\n"
END = "? QUIT\n"


def delivered(local_part: str, reply: str, *, again: bool = False, flag: str = "=>") -> str:
    """The line in the log."""
    star = "*" if again else ""
    return f'{flag} {local_part}@far.example R=remote T=smtp H=127.0.0.1 [127.0.0.1]{star} C="{reply}"'


def test_messages_that_wait_follow_over_the_same_connection(place: MakePlace) -> None:
    script = BEGIN + transaction("250 ok", last="250 one") + transaction("250 ok", last="250 two") + END
    with ScriptedServer(script) as server:
        there = place(f"127.0.0.1::{server.port}")
        first, second = (there.queue(recipient) for recipient in ("a@far.example", "b@far.example"))
        for message_id in (first, second):
            there.deliver(message_id, route_only=True)
        there.deliver(first)
    assert there.log == [delivered("a", "250 one"), "Completed", delivered("b", "250 two", again=True), "Completed"]


def test_a_connection_that_was_closed_is_replaced(place: MakePlace) -> None:
    closing = BEGIN + transaction("250 ok", last="250 one") + "*close"
    with ScriptedServer(closing, BEGIN + transaction("250 ok", last="250 two") + END) as server:
        there = place(f"127.0.0.1::{server.port}")
        first, second = (there.queue(recipient) for recipient in ("a@far.example", "b@far.example"))
        for message_id in (first, second):
            there.deliver(message_id, route_only=True)
        there.deliver(first)
    assert there.log == [delivered("a", "250 one"), "Completed", delivered("b", "250 two"), "Completed"]


@pytest.mark.parametrize(
    ("begin", "refusing"),
    [
        (BEGIN, "? MAIL\n250 ok\n? RCPT\n550 unknown\n"),
        (BEGIN.replace("250 far", "250-far\n250 PIPELINING"), "? MAIL\n250 ok\n? RCPT\n550 unknown\n? DATA\n503 no\n"),
    ],
)
def test_refused_recipients_are_reset_for_the_next_message(place: MakePlace, begin: str, refusing: str) -> None:
    with ScriptedServer(begin + refusing + "? RSET\n250 ok\n" + transaction("250 ok", last="250 two") + END) as server:
        there = place(f"127.0.0.1::{server.port}", main="bounce_return_message = false")
        first, second = (there.queue(recipient) for recipient in ("a@far.example", "b@far.example"))
        for message_id in (first, second):
            there.deliver(message_id, route_only=True)
        there.deliver(first)
    assert delivered("b", "250 two", again=True) in there.log


@pytest.mark.parametrize(
    ("options", "scripts", "log"),
    [
        pytest.param(
            "max_rcpt = 1",
            [BEGIN + transaction("250 ok") + END] * 2,
            [delivered("a", "250 thanks"), delivered("b", "250 thanks")],
            id="a constant: parts are independent",
        ),
        pytest.param(
            "max_rcpt = ${if def:sender_address {1}{2}}",
            [BEGIN + transaction("250 ok") * 2 + END],
            [delivered("a", "250 thanks"), delivered("b", "250 thanks", again=True)],
            id="expanded: one connection",
        ),
        pytest.param(
            "max_rcpt = 2",
            [BEGIN + transaction("250 ok", "250 ok") + transaction("250 ok") + END],
            [
                delivered("a", "250 thanks"),
                delivered("b", "250 thanks", flag="->"),
                delivered("c", "250 thanks", again=True),
            ],
            id="not side by side: one connection",
        ),
        pytest.param(
            "",
            [BEGIN + transaction("250 ok", "452 that is enough", last="250 one") + transaction("250 ok") + END],
            [delivered("a", "250 one"), delivered("b", "250 thanks", again=True)],
            id="too many recipients",
        ),
        pytest.param(
            "",
            [BEGIN.replace("250 far", "250-far\n250 LIMITS RCPTMAX=1") + transaction("250 ok") * 2 + END],
            [delivered("a", "250 thanks"), delivered("b", "250 thanks", again=True)],
            id="RCPTMAX",
        ),
        pytest.param(
            "",
            [BEGIN.replace("250 far", "250-far\n250 LIMITS RCPTMAX=1 MAILMAX=1") + transaction("250 ok") + END] * 2,
            [delivered("a", "250 thanks"), delivered("b", "250 thanks")],
            id="MAILMAX",
        ),
        pytest.param(
            "",
            [
                "220 far\n? EHLO\n250-far\n250-STARTTLS\n250 LIMITS RCPTMAX=1\n"
                "? STARTTLS\n454 not now\n" + transaction("250 ok", "250 ok") + END
            ],
            [delivered("a", "250 thanks"), delivered("b", "250 thanks", flag="->")],
            id="limits do not count without the TLS that is offered",
        ),
    ],
)
def test_transactions(place: MakePlace, options: str, scripts: list[str], log: list[str]) -> None:
    with ScriptedServer(*scripts) as server:
        there = place(f"127.0.0.1::{server.port}", options, main="remote_max_parallel = 1")
        there.send(*(f"{line.split('@')[0][3:]}@far.example" for line in log))
    assert [line for line in there.log if line != "Completed"] == log


def test_domains_of_one_transaction(place: MakePlace) -> None:
    begin = BEGIN.replace("250 far", "250-far\n250 LIMITS RCPTDOMAINMAX=1")
    with ScriptedServer(begin + transaction("250 ok", "250 ok") + transaction("250 ok") + END) as server:
        there = place(f"127.0.0.1::{server.port}")
        there.send("a@far.example", "b@other.example", "c@far.example")
    heard = [line for line in server.heard if line.startswith("RCPT")]
    assert heard == ["RCPT TO:<a@far.example>", "RCPT TO:<c@far.example>", "RCPT TO:<b@other.example>"]


def test_return_path_and_header_changes(place: MakePlace) -> None:
    options = (
        "return_path = ${local_part:$return_path}+x@new.example\n  headers_remove = received\n  headers_add = X-New: 1"
    )
    with ScriptedServer(PLAIN.replace("<s@sender.example>", "<s+x@new.example>")) as server:
        there = place(f"127.0.0.1::{server.port}", options)
        there.send("a@far.example")
    assert server.texts == [b"Subject: test\r\nX-New: 1\r\n\r\nbody\r\n.\r\n"]


def test_line_length_limit(place: MakePlace) -> None:
    there = place("127.0.0.1::1")
    there.send("a@far.example", max_received_line_length=1200)
    assert there.log[0] == (
        "** a@far.example R=remote T=smtp : message has lines too long for transport (received 1200, limit 998)"
    )


def test_n_option(place: MakePlace) -> None:
    there = place("127.0.0.1::1")
    there.send("a@far.example", dont_deliver=True)
    assert there.log[0] == (
        '*> a@far.example R=remote T=smtp H=127.0.0.1 [127.0.0.1] C="delivery bypassed by -N option"'
    )

"""Filters as ``-bf`` and ``-bF`` show them. Expected is what the reference answered for each of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.address.delivery import Address
from eximious.context import Context
from eximious.filters.exim import is_exim_filter, is_sieve_filter, obey_filter
from eximious.filters.lexer import FilterError
from eximious.filters.parse import Rules
from eximious.filters.report import Reporter
from eximious.filters.run import Observer
from eximious.spool.body import Body
from eximious.spool.message import DELETED, Header, Recipient
from eximious.taint import Tainted
from tests.expand.context import make_context

FOLDER = Path(__file__).with_name("filters")
CONFIGURATION = "primary_hostname = my.host\nqualify_domain = test.ex\n"
HEADERS = """\
From: Far Away <far@away.ex>
To: user@test.ex, Other <other@test.ex>
Cc: third@x.ex
Subject: Hello  there
X-Number: 12
Message-Id: <m1@away.ex>
Date: Tue, 24 Nov 2026 12:00:00 +0000
"""
BODY = b"body line one\nsecond line\n"


def cases() -> list[tuple[str, str, str]]:
    """Of each file its name, the filter, and what is shown."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        for block in path.read_text(encoding="latin-1").split("====\n"):
            text, _, shown = block.partition("\n--\n")
            found.append((path.stem, text, shown.rstrip("\n")))
    return found


def make_message_context(headers: str = HEADERS, body: bytes = BODY) -> Context:
    """The context in which the message is about to be delivered to ``user@test.ex``."""
    context = make_context(CONFIGURATION)
    message = context.message
    message.sender = Tainted("sender@far.ex")
    message.headers = [Header(f"{line}\n") for line in headers.splitlines()]
    message.body = Body.of(body)
    message.body_size = len(body)
    address = context.address = Address("user@test.ex")
    address.local_part = address.local_part_cased = "user"
    address.errors_to = message.sender
    message.recipients = [Recipient(Tainted(address.address))]
    return context


def shown_for(text: str, context: Context, *, is_system: bool = False) -> str:
    """What the test of a filter shows."""
    lines: list[str] = []
    reporter = Reporter(context, lines.append)
    try:
        outcome = obey_filter(f"#Exim filter\n{text}\n", context, Rules(is_system=is_system), reporter)
    except FilterError as error:
        lines.append(f"Filter error: {error}")
    else:
        reporter.conclude(outcome)
    return "\n".join(lines)


@pytest.mark.parametrize(("kind", "text", "expected"), cases())
def test_filter(kind: str, text: str, expected: str) -> None:
    assert shown_for(text, make_message_context(), is_system=kind == "system") == expected


PERSONAL = [
    ("", False),
    ("To: user@test.ex\nFrom: a@b.ex", True),
    ("To: USER@TEST.EX\nFrom: a@b.ex", True),
    ("To: other@test.ex\nFrom: a@b.ex", False),
    ("To: other@test.ex, User <user@test.ex>\nFrom: a@b.ex", True),
    ("Cc: user@test.ex\nFrom: a@b.ex", True),
    ("Bcc: user@test.ex\nFrom: a@b.ex", True),
    ("To: user@test.ex", True),
    ("To: user@test.ex\nFrom: user@test.ex", False),
    ("To: user@test.ex\nFrom: a@b.ex\nReply-To: user@test.ex", False),
    ("To: user@test.ex\nFrom: server@b.ex", False),
    ("To: user@test.ex\nFrom: Daemon@b.ex", False),
    ("To: user@test.ex\nFrom: root@b.ex", False),
    ("To: user@test.ex\nFrom: listserv@b.ex", False),
    ("To: user@test.ex\nFrom: majordomo@b.ex", False),
    ("To: user@test.ex\nFrom: list-request@b.ex", False),
    ("To: user@test.ex\nFrom: owner-list@b.ex", False),
    ("To: user@test.ex\nFrom: rooted@b.ex", True),
    ("To: user@test.ex\nFrom: a@b.ex\nPrecedence: bulk", False),
    ("To: user@test.ex\nFrom: a@b.ex\nPrecedence: LIST", False),
    ("To: user@test.ex\nFrom: a@b.ex\nPrecedence: junk", False),
    ("To: user@test.ex\nFrom: a@b.ex\nPrecedence: normal", True),
    ("To: user@test.ex\nFrom: a@b.ex\nAuto-Submitted: no", True),
    ("To: user@test.ex\nFrom: a@b.ex\nAuto-Submitted: auto-replied", False),
    ("To: user@test.ex\nFrom: a@b.ex\nList-Id: <x.y>", False),
    ("To: user@test.ex\nFrom: a@b.ex\nListing: x", True),
    ("To: user@test.ex, bad@@address\nFrom: a@b.ex", True),
    ("To: me@else.ex\nFrom: a@b.ex", True),
    ("To: user@test.ex\nFrom: me@else.ex", False),
]


@pytest.mark.parametrize(("headers", "expected"), PERSONAL)
def test_personal(headers: str, expected: bool) -> None:
    context = make_message_context(headers)
    shown = shown_for("if personal alias me@else.ex then testprint yes endif", context)
    assert shown.startswith("Testprint: yes") is expected


def test_nobody_answers_what_has_no_sender() -> None:
    context = make_message_context()
    context.message.sender = ""
    assert shown_for("if personal then testprint yes endif", context).startswith("Filtering did not")
    assert shown_for("if error_message then testprint yes endif", context).startswith("Testprint: yes")


@given(st.text(alphabet='ab"\\ \n()#$1{}', max_size=60))
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    context = make_message_context()
    for beginning in ("", "if ", "testprint ", "mail subject "):
        assert shown_for(beginning + text, context).rpartition("\n")[2].startswith(("Filter error: ", "Normal ", "No "))


def test_a_filter_is_bounded() -> None:
    context = make_message_context()
    deep = shown_for("if " + "(" * 1000 + "1 is 1" + ")" * 1000 + " then finish endif", context)
    assert deep == "Filter error: conditions nested too deeply near line 2 of filter file"
    deep = shown_for("if 1 is 1 then " * 1000 + "endif " * 1000, context)
    assert deep == 'Filter error: too many nested "if" commands near line 2 of filter file'
    assert shown_for("testprint a\n" * 10_001, context) == "Filter error: too many commands in filter file"


def test_what_is_lent_is_given_back() -> None:
    context = make_message_context()
    context.captures = ["kept"]
    facts = dict(context.facts)
    shown_for("add 1 to n1\nif abc matches b then testprint $0 endif", context, is_system=True)
    assert context.captures == ["kept"]
    assert context.facts.pop("system_filter_counters")[1] == 1
    assert context.facts == facts


CHARSETS = [
    ("UTF-8", r"caf\303\251 \342\202\254."),
    ("ISO-8859-1//IGNORE", r"caf\351 ."),
    ("us-ascii//TRANSLIT", "cafe EUR."),
]


@pytest.mark.parametrize(("charset", "expected"), CHARSETS)
def test_the_character_set_of_headers(charset: str, expected: str) -> None:
    context = make_message_context("X-Where: =?utf-8?q?caf=C3=A9_=E2=82=AC?=\n")
    testprint = "testprint $h_x-where:.\n"
    shown = shown_for(f'headers charset "{charset}"\n{testprint}', context)
    assert shown.splitlines()[1] == f"Testprint: {expected}"
    assert shown_for(testprint, context).splitlines()[0] == r"Testprint: caf\303\251 \342\202\254."


def test_headers_of_a_system_filter() -> None:
    context = make_message_context()
    text = 'headers add "X-A: b\\nX-C: d\\n e\\n"\nheaders remove "x-number : Subject"\nheaders remove "None:"'
    obey_filter(f"#Exim filter\n{text}", context, Rules(is_system=True))
    kept = [header.text for header in context.message.headers if header.kind != DELETED]
    assert [text for text in kept if text.startswith("X-")] == ["X-A: b\n", "X-C: d\n e\n"]
    assert not [text for text in kept if text.startswith("Subject")]


def test_log_files_of_filters(tmp_path: Path) -> None:
    path = tmp_path / "log"
    context = make_message_context()
    observer = Observer(context, may_log=True)
    text = f'#Exim filter\nlogfile {path} 640\nlogwrite "one $h_x-number:"\nlogwrite "two\\n"\n'
    obey_filter(text, context, Rules(), observer)
    assert path.read_text() == "one 12\ntwo\n"
    obey_filter(text, context, Rules(), Observer(context, may_log=False))
    assert path.read_text() == "one 12\ntwo\n"


LOG_FAULTS = [
    ("logwrite x", 'attempt to obey "logwrite" command without a previous "logfile"'),
    ("logfile /dev/null/x\nlogwrite x", 'failed to open filter log file "/dev/null/x": Not a directory'),
    ("logfile /tmp/$h_x-number\nlogwrite x", "Tainted name '/tmp/12' for log file not permitted"),
    ("logfile {link}\nlogwrite x", 'failed to open filter log file "{link}": Too many levels of symbolic links'),
]


@pytest.mark.parametrize(("text", "message"), LOG_FAULTS)
def test_log_files_that_cannot_be_written(text: str, message: str, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    context = make_message_context()
    with pytest.raises(FilterError) as caught:
        obey_filter(
            "#Exim filter\n" + text.replace("{link}", str(link)), context, Rules(), Observer(context, may_log=True)
        )
    assert str(caught.value).startswith(message.replace("{link}", str(link)))
    assert not (tmp_path / "target").exists()


DISABLED = [
    ("logwrite x", "logwrite command forbidden"),
    ("freeze", 'filtering command "freeze" is disabled: near line 3 of filter file'),
    ("fail", 'filtering command "fail" is disabled: near line 3 of filter file'),
]


@pytest.mark.parametrize(("text", "message"), DISABLED)
def test_commands_that_are_not_allowed(text: str, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        obey_filter(f"#Exim filter\n{text}\n", make_message_context(), Rules(may_log=False))
    if not text.startswith("log"):
        outcome = obey_filter(f"#Exim filter\n{text}\n", make_message_context(), Rules(frozenset((text,))))
        assert outcome.verdict == text


HEADINGS = [
    ("#Exim filter", "exim"),
    ("# exim FILTER  <<== do not edit", "exim"),
    ("\n \t#exim filter", "exim"),
    ("#Sieve filter", "sieve"),
    ("#Exim  filter", ""),
    ("Exim filter", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "kind"), HEADINGS)
def test_heading(text: str, kind: str) -> None:
    assert (is_exim_filter(text), is_sieve_filter(text)) == (kind == "exim", kind == "sieve")

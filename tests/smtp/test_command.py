from __future__ import annotations

import pytest

from eximious.smtp.command import Command, parse_command

# What Exim 4.98 takes for which command.
LINES = [
    ("NOOP", "NOOP", ""),
    ("noop", "NOOP", ""),
    ("NOOP\t", "NOOP", ""),
    ("NOOP  a b ", "NOOP", "a b"),
    ("NOOPX", "", ""),
    ("NOOP:", "", ""),
    (" NOOP", "", ""),
    ("", "", ""),
    ("NO\rOP", "", ""),
    ("HELO\tfoo", "", ""),
    ("HELO  foo  ", "HELO", "foo"),
    ("HELO", "HELO", ""),
    ("MAIL FROM:<a@b>", "MAIL", "<a@b>"),
    ("mail from:<a@b> SIZE=1", "MAIL", "<a@b> SIZE=1"),
    ("MAIL FROM:   a@b", "MAIL", "a@b"),
    ("MAIL FROM:", "MAIL", ""),
    ("MAIL FROM", "", ""),
    ("MAIL FROM :<a@b>", "", ""),
    ("MAIL  FROM:<a@b>", "", ""),
    ("MAIL", "", ""),
    ("RCPT TO:<a@b>", "RCPT", "<a@b>"),
    ("RCPT", "", ""),
    ("AUTH", "AUTH", ""),
    ("AUTH PLAIN", "AUTH", "PLAIN"),
    ("DATA", "DATA", ""),
    ("QUIT now", "QUIT", "now"),
    ("BDAT 5 LAST", "BDAT", "5 LAST"),
    ("VRFY", "VRFY", ""),
    ("ATRN", "", ""),
]


@pytest.mark.parametrize(("line", "verb", "argument"), LINES)
def test_parse(line: str, verb: str, argument: str) -> None:
    command = parse_command(line)
    assert (command.verb, command.argument) == (verb, argument)


def test_line_is_kept_for_logs() -> None:
    assert parse_command("mail from:<a@b>  ").line == "mail from:<a@b>"
    assert Command("RSET").line == "RSET"
    assert repr(Command("HELO", "x")) == "Command('HELO', 'x')"
    assert Command("HELO", "x") == Command("HELO", "x")
    assert Command("HELO", "x") != "HELO x"


# After which commands a client may have sent more: all others are checked (smtp_enforce_sync), as in Exim.
@pytest.mark.parametrize("verb", ["HELP", "AUTH", "BDAT", "QUIT"])
def test_more_may_follow(verb: str) -> None:
    assert Command(verb).may_be_followed(with_pipelining=False)


@pytest.mark.parametrize("verb", ["RSET", "MAIL", "RCPT"])
def test_more_may_follow_with_pipelining(verb: str) -> None:
    assert Command(verb).may_be_followed(with_pipelining=True)
    assert not Command(verb).may_be_followed(with_pipelining=False)


@pytest.mark.parametrize("verb", ["HELO", "EHLO", "DATA", "NOOP", "VRFY", "EXPN", "ETRN", "STARTTLS", ""])
def test_nothing_may_follow(verb: str) -> None:
    assert not Command(verb).may_be_followed(with_pipelining=True)

"""Words on the command line and lines on standard input of any length and content: an answer, soon."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eximious.address.header_list import parse_list
from eximious.address.phrase import fix_phrase
from eximious.exim.command_line import CommandLineError
from eximious.exim.options import ARGUMENT_LIMIT, parse
from eximious.receive.full_name import phrase
from tests.exim.test_be import exim
from tests.expand.context import make_context

LONG = 5_000_000


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    path = tmp_path / "exim.conf"
    path.write_text(
        f"primary_hostname = mail.test\nspool_directory = {tmp_path}\nlog_file_path = {tmp_path}/%slog\n"
        "begin routers\ngone:\n  driver = redirect\n  data = :blackhole:\n"
    )
    return str(path)


STDIN = [
    ("-be", "a" * LONG, "a" * 100),
    ("-be", "a\\\n" * (LONG // 50), "a" * 100),
    ("-be", "\\\n" * (LONG // 50) + "end", "end"),
    ("-be", "${lc:" * 20_000, "Failed: "),
    ("-be", "\0\\\n\0\\", "\0\0"),
    ("-bt", "a" * 100_000 + "@x.test", ""),
    ("-bv", '"' * 100_000, ""),
    ("-brw", "<" * 100_000, ""),
]


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "text", "answer"), STDIN, ids=range(len(STDIN)))
def test_cve_2020_28009(mode: str, text: str, answer: str, configuration: str) -> None:
    """Lines without end, and lines that go on without end."""
    started = time.monotonic()
    done = exim(configuration, mode, lines=text + "\n")
    assert time.monotonic() - started < 10
    assert answer in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["-f", "-F", "-p", "-oMa", "-C", "-D", "-R", "-d", "-M", "-q", "-r", "-Z", "-oMs"])
def test_cve_2020_28010(option: str) -> None:
    """The length of arguments is bounded."""
    for word in (option + "x" * ARGUMENT_LIMIT, option + "\xff" * ARGUMENT_LIMIT):
        with pytest.raises(CommandLineError, match="too long"):
            parse(["exim", "-bt", word])


MANY = [["-v"], ["-px:y"], ["-odi"], ["-Mset", "1rYxXx-000000001xy-0abc"], ["-N"], ["-h", "3"], ["-q"], ["-f", "x@y"]]


@pytest.mark.parametrize("words", MANY)
def test_cve_2017_1000369(words: list[str]) -> None:
    """An option that is repeated costs time in proportion, and leaves nothing behind."""
    started = time.process_time()
    line = parse(["exim", *words * 50_000, "x@y"] if words != ["-q"] else ["exim", *words * 50_000])
    assert time.process_time() - started < 2
    assert line.arguments in (["x@y"], [])
    assert line.protocol in ("", "x")


@pytest.mark.slow
@pytest.mark.parametrize("option", ["-R", "-S", "-Rff", "-Srf", "-qR", "-qqS"])
def test_cve_2020_28011(option: str, configuration: str) -> None:
    """A queue run for a name that is as long as the system lets it be: nothing is delivered, and that is all."""
    for word in ("x" * 120_000, "(" * 1000, "\\"):
        done = exim(configuration, option, word)
        assert done.stdout == ""
        if "r" in option:
            assert done.stderr.startswith("exim: regular expression error: "), done.stderr[:200]
        else:
            assert (done.returncode, done.stderr) == (0, ""), done.stderr[:200]


names = st.text(alphabet=st.characters(max_codepoint=255, blacklist_characters="\0"), max_size=30)
ODD = [
    '"' * 3000,
    "\\" * 3001,
    "(" * 3001,
    '"(' * 1500,
    "a\n<b@c>",
    "=?utf-8?q?=00?=",
    "\r\nX-Evil: 1\r\n",
    "\\",
    '"\\',
    "(\\",
]


Test = Callable[[str], None]


def with_odd(test: Test) -> Test:
    """All of those, too."""
    for name in ODD:
        test = example(name)(test)
    return test


@with_odd
@settings(max_examples=150, deadline=1000)
@given(names)
def test_cve_2020_28013(name: str) -> None:
    """Whatever a person's name is, what stands before the address is a phrase: the address stays the only one."""
    header = f"{phrase(name, make_context().config.main)} <a@b.test>"
    assert [item.parsed.address if item.parsed else item.error for item in parse_list(header)] == ["a@b.test"]
    assert "\n" not in header.replace("\n ", "")


@with_odd
@settings(max_examples=150, deadline=1000)
@given(names)
def test_cve_2020_28016(text: str) -> None:
    """The same for phrases of headers that are rewritten, the empty one among them: nothing is lost, all is quoted."""
    fixed = fix_phrase(text)
    assert fix_phrase("") == ""
    assert len(fixed) <= 2 * len(text) + 2 * (1 + text.count('"') + text.count("("))
    kept = fixed.replace("\\", "").replace('"', "")
    assert kept == text.replace("\\", "").replace('"', "")

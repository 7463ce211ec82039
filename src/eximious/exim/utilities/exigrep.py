"""``exigrep``: all log lines of the messages of which one line matches."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final, NoReturn, TextIO

from eximious.exim.utilities import complain, run

USAGE: Final = "Usage: exigrep [-t<n>] [-I] [-l] [-M] [-v] <pattern> [<log file>] ..."
ID: Final = r"[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{11}-[0-9A-Za-z]{4}|[0-9A-Za-z]{6}-[0-9A-Za-z]{2})"
# Time, perhaps a time zone and a process number, perhaps an id; or a line from syslog with an id after a colon.
LINE: Final = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)?(?: [-+]\d{4})?(?: \[\d+\])? (?:(?P<id>" + ID + r") )?"
)
SYSLOG: Final = re.compile(r"\w{3} [ \d]\d \d\d:\d\d:\d\d .*?(?P<id>" + ID + r") ")
RELATED: Final = re.compile(rf" (?:<= .* R=|(?:[=*-]>|\*\*|==) .* )({ID})\b")
ENDED: Final = re.compile(r" (?:Completed|SMTP data timeout|.*rejected)")
OPENERS: Final = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma", ".lzma": "lzma"}


class Wish:
    """What to look for."""

    def __init__(self) -> None:
        self.matches: Callable[[str], object] = bool
        self.inverted = False  # -v
        self.related = False  # -M
        self.least_seconds = 0  # -t

    def wants(self, line: str) -> bool:
        """True if the line is one to look for."""
        return bool(self.matches(line)) != self.inverted


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """Options, a pattern, perhaps files."""
    try:
        wish, files = parse(arguments)
    except ValueError as error:
        return complain(f"{error}\n{USAGE}", 2)
    search(wish, lines_of(files), sys.stdout)
    return 0


def parse(arguments: list[str]) -> tuple[Wish, list[str]]:
    """Raises ValueError for what cannot be understood."""
    wish = Wish()
    words = list(arguments)
    is_literal = case_matters = False
    while words and words[0].startswith("-") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "-t" and words:
            wish.least_seconds = int(words.pop(0))
        elif word.startswith("-t") and word[2:].isdigit():
            wish.least_seconds = int(word[2:])
        elif word in ("-I", "-l", "-M", "-v"):
            case_matters |= word == "-I"
            is_literal |= word == "-l"
            wish.related |= word == "-M"
            wish.inverted |= word == "-v"
        elif word == "--":
            break
        else:
            raise ValueError(f"Unknown option: {word}")
    if not words:
        raise ValueError("a pattern is missing")
    pattern = re.escape(words[0]) if is_literal else words[0]
    try:
        wish.matches = re.compile(pattern, 0 if case_matters else re.IGNORECASE).search
    except re.error as error:
        raise ValueError(f"bad pattern {words[0]}: {error}") from None
    return wish, words[1:]


def lines_of(files: list[str]) -> Iterator[str]:
    """The lines of files, which may be compressed, or of standard input. Files that are not there are named."""
    if not files:
        sys.stdin.reconfigure(encoding="latin-1", newline="\n")  # type: ignore[union-attr]
        yield from sys.stdin
    for name in files:
        try:
            with _open(name) as file:
                yield from file
        except OSError as error:
            complain(f"exigrep: {name}: {error.strerror}")


def _open(name: str) -> TextIO:
    for ending, module in OPENERS.items():
        if name.endswith(ending):
            import importlib

            opened: TextIO = importlib.import_module(module).open(name, "rt", encoding="latin-1", newline="\n")
            return opened
    return open(name, encoding="latin-1", newline="\n")


class Story:
    """The lines about one message so far."""

    __slots__ = ("began", "is_wanted", "lines", "touched")

    def __init__(self, began: str) -> None:
        self.lines: list[str] = []
        self.touched = False  # a line is one to look for
        self.is_wanted = False  # because of a message that it is related to
        self.began = began


def search(wish: Wish, lines: Iterable[str], output: TextIO) -> None:
    """Write the stories of the messages that are wanted, as they end; then those that have not ended."""
    stories: dict[str, Story] = {}
    wanted: set[str] = set()
    for line in lines:
        found = LINE.match(line) or SYSLOG.match(line)
        message_id = found["id"] if found is not None else None
        if message_id is None:
            if wish.wants(line):
                output.write(f"{line}\n")
            continue
        assert found is not None
        story = stories.setdefault(message_id, Story(found.groupdict().get("time") or ""))
        story.lines.append(line)
        story.touched = story.touched or wish.wants(line)
        related = RELATED.search(line) if wish.related else None
        if related is not None and (related[1] in wanted or _is_chosen(stories.get(related[1]))):
            story.is_wanted = True
            wanted.add(message_id)
        if ENDED.match(line, found.end() - 1):
            del stories[message_id]
            if _is_chosen(story):
                wanted.add(message_id)
                if _seconds(story.began, found.groupdict().get("time") or "") >= wish.least_seconds:
                    output.write("".join(story.lines) + "\n")
    for message_id, story in stories.items():
        if _is_chosen(story):
            output.write(f"+++ {message_id} has not completed +++\n{''.join(story.lines)}\n")


def _is_chosen(story: Story | None) -> bool:
    return story is not None and (story.is_wanted or story.touched)


def _seconds(begin: str, end: str) -> float:
    """Between two times of the log; those of syslog say nothing, and are long enough."""
    if not begin or not end:
        return float("inf")
    form = "%Y-%m-%d %H:%M:%S"
    return (datetime.strptime(end, form) - datetime.strptime(begin, form)).total_seconds()

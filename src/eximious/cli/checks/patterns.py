"""Regular expressions that cannot be compiled, or that lose their backslashes before they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from eximious.cli.checks.strings import Text, texts
from eximious.config.configuration import Configuration
from eximious.errors import ConfigError, ExpandError
from eximious.expand.conditions.match import Match, MatchExpanded
from eximious.expand.items.substitute import Substitute
from eximious.expand.regex import compile

# What string expansion turns into something else: \d is d, \. is a dot that matches anything.
_LOST: Final = re.compile(r"\\([dDwWsSbBAzZ.*+?()^|\[\]])")
_KEPT: Final = re.compile(r"\\N.*?(?:\\N|\Z)|\\\\", re.DOTALL)  # what expansion leaves alone


def patterns(config: Configuration) -> Iterator[ConfigError]:
    """A warning for each."""
    for text in texts(config):
        for thing in text.walk():
            if isinstance(thing, Match | MatchExpanded | Substitute):
                yield from _pattern(text, thing, thing.pattern)


def _pattern(text: Text, owner: Any, pattern: Any) -> Iterator[ConfigError]:
    """The pattern is the second string in braces of what owns it."""
    start, source = argument(text.source, text.offset(owner), 2)
    place = None if text.place is None else text.place.at(start)
    constant = getattr(pattern, "constant", None)
    if constant is not None:  # a constant pattern that is wrong stays a node
        try:
            compile(constant)
        except ExpandError as error:
            yield ConfigError(str(error), place, _hint(source))
            return
    lost = _LOST.search(_KEPT.sub(lambda found: " " * len(found[0]), source))
    if lost is not None:
        message = f"\\{lost[1]} in a regular expression loses its backslash when the string is expanded"
        where = None if place is None else place.at(lost.start())
        yield ConfigError(message, where, f"write \\\\{lost[1]}, or put the pattern between \\N and \\N")


def _hint(source: str) -> str:
    if _LOST.search(_KEPT.sub("", source)):
        return "expansion takes the backslashes: put the pattern between \\N and \\N"
    return ""


def argument(source: str, start: int, number: int) -> tuple[int, str]:
    """The `number`-th string in braces after `start`: where its text begins, and the text."""
    if source.startswith("${", start):
        start += 2
    position = start
    for _ in range(number):
        begun = source.find("{", position)
        if begun < 0:
            return start, ""
        position = _closing(source, begun) + 1
    return begun + 1, source[begun + 1 : position - 1]


def _closing(source: str, opening: int) -> int:
    """The offset of the brace that closes the one at `opening`; the end of the text if there is none."""
    depth = 0
    position = opening
    while position < len(source):
        character = source[position]
        if character == "\\":
            if source.startswith("\\N", position):
                end = source.find("\\N", position + 2)
                position = len(source) if end < 0 else end + 2
                continue
            position += 1
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return len(source)

"""Words that are nearly the name of a macro: in a file, such a word stays as it is, and nobody complains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from eximious.config.configuration import Configuration
from eximious.errors import ConfigError, Place

_WORD: Final = re.compile(r"(?<![\w$])[A-Z][A-Z0-9_]{3,}(?!\w)")
_NOT_HERE: Final = re.compile(r"\s*(?:#|\.|[A-Z]\w*\s*={1,2})")  # comments, .ifdef, definitions


def macros(config: Configuration) -> Iterator[ConfigError]:
    """A note for each word."""
    names = [name for name in config.macros if len(name) > 3]
    if not names:
        return
    told: set[str] = set()
    for file in config.files:
        for number, line in enumerate(_lines(file), 1):
            for found in () if _NOT_HERE.match(line) else _WORD.finditer(line):
                word = found[0]
                near = next((name for name in names if _is_slip(word, name)), "")
                if near and word not in told and not any(name in word for name in config.macros):
                    told.add(word)
                    place = Place(file, number, found.start() + 1, line)
                    yield ConfigError(f"there is no macro {word}", place, f"did you mean {near}?")


def _lines(file: str) -> list[str]:
    try:
        with open(file, encoding="latin-1") as opened:
            return opened.read().split("\n")
    except OSError:
        return []


def _is_slip(word: str, name: str) -> bool:
    """True if one letter is missing, added or wrong, or two neighbours have changed places."""
    if word == name or abs(len(word) - len(name)) > 1:
        return False
    start = 0
    while start < min(len(word), len(name)) and word[start] == name[start]:
        start += 1
    rest, other = word[start:], name[start:]
    return (
        rest[1:] == other[1:]
        or rest[1:] == other
        or rest == other[1:]
        or (rest[:2] == other[1::-1] and rest[2:] == other[2:])
    )

"""lsearch: a text file with a key at the start of each line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from eximious.lookups.base import Options, SingleKeyLookup, lookups
from eximious.octets import SPACE, lower

if TYPE_CHECKING:
    from eximious.context import Context

PURPOSE: Final = "linear search"

_PLAIN_KEY = re.compile(r"[^: \t\n\r\f\v]*")
_AFTER_KEY = re.compile(r"[ \t\n\r\f\v]*:?[ \t\n\r\f\v]*")
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v", "f": "\f"}

Entry = tuple[str, str]  # a line's key as written (without quotes) and what follows it, continuations joined


class LinearSearch(SingleKeyLookup):
    """The first line that begins with the key, whatever the case of letters."""

    name = "lsearch"
    options = ("ret",)

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        table: dict[str, Entry] = context.services.lookups.files.get(path, self.name, PURPOSE, _read_table)
        entry = table.get(lower(key))
        return None if entry is None else answer(entry, options)


def answer(entry: Entry, options: Options) -> str:
    """What an entry gives: its data, or all of the line with ``ret=full``."""
    key, rest = entry
    if options.get("ret") == "full":
        return key + rest
    return data(rest)


def data(rest: str) -> str:
    """The data in what follows a key."""
    found = _AFTER_KEY.match(rest)
    return rest[found.end() :] if found else rest


def read_text(fd: int, status: os.stat_result) -> str:
    """A whole file, one character an octet."""
    parts: list[bytes] = []
    while part := os.read(fd, 1 << 20):
        parts.append(part)
    return b"".join(parts).decode("latin-1")


def _read_table(fd: int, status: os.stat_result) -> tuple[dict[str, Entry], int]:
    table: dict[str, Entry] = {}
    for key, rest in entries(read_text(fd, status)):
        table.setdefault(lower(key), (key, rest))
    return table, status.st_size * 4


def entries(text: str) -> Iterator[Entry]:
    """The entries of such a file, in order."""
    line = ""
    for physical in text.split("\n"):
        trimmed = physical.rstrip(SPACE)
        if not trimmed or trimmed[0] == "#":
            continue
        if trimmed[0] in SPACE:
            if line:
                line = f"{line} {trimmed.lstrip(SPACE)}"
            continue
        if line:
            yield entry_of(line)
        line = trimmed
    if line:
        yield entry_of(line)


def entry_of(line: str) -> Entry:
    """The key of a line, without quotes, and what follows it."""
    if line[0] == '"':
        return _split_quoted(line)
    found = _PLAIN_KEY.match(line)
    end = found.end() if found else 0
    return line[:end], line[end:]


def _split_quoted(line: str) -> Entry:
    """A key in double quotes ends with a quote, or with the line; escapes are interpreted."""
    end = 1
    while end < len(line) and line[end] != '"':
        end += 2 if line[end] == "\\" else 1
    return _ESCAPE.sub(_unescape, line[1:end]), line[end + 1 :]


def _unescape(found: re.Match[str]) -> str:
    after = found[0][1:]
    if after[0] == "x" and len(after) > 1:
        return chr(int(after[1:], 16))
    if after[0] in "01234567":
        return chr(int(after, 8) & 255)
    return _LETTERS.get(after, after)


lookups.register("lsearch")(LinearSearch())

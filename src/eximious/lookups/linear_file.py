"""Files in lsearch's form, as they are kept in memory.

A small file becomes a table at once. A large one (aliases of a million users) is searched as it is at first, which
PCRE2 does at the speed of memory; when that has taken as long as making an index would, an index is made. So neither a
single lookup nor many of them cost more than twice what they must.
"""

from __future__ import annotations

import re
import time
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any, Final

from eximious.octets import SPACE, lower
from eximious.waiting import in_thread

Entry = tuple[str, str]  # a line's key as written (without quotes) and what follows it, continuations joined

SMALL: Final = 128 * 1024  # octets; up to here a table is made at once
MEDIUM: Final = 2 * 1024 * 1024  # octets; up to here a table is made in the place of an index, which is smaller
INDEX_COST: Final = 20e-9  # seconds for each octet that making an index takes
_SPACE_OCTETS: Final = SPACE.encode("ascii")

_PLAIN_KEY = re.compile(r"[^: \t\n\r\f\v]*")
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v", "f": "\f"}
_LINE_KEY = re.compile(rb'^(?:"(?:[^"\\\n]|\\.)*|[^ \t\n\r\f\v:#][^ \t\n\r\f\v:]*|(?=:))', re.MULTILINE)
_NOT_PLAIN = re.compile(rb"[^A-Za-z0-9]")


class Table:
    """All entries of a small file, by key in lower case."""

    __slots__ = ("_entries",)

    def __init__(self, data: bytes) -> None:
        self._entries: dict[str, Entry] = {}
        for entry in entries(data.decode("latin-1")):
            self._entries.setdefault(lower(entry[0]), entry)

    def find(self, key: str) -> Entry | None:
        """The first entry with that key, whatever the case of letters."""
        entries = self._entries
        return entries[key] if key in entries else entries.get(lower(key))


class LargeFile:
    """A large file, searched as it is or by an index of keys."""

    __slots__ = ("_cost", "_data", "_has_quotes", "_index", "_is_indexing", "_spent", "_table")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._cost = len(data) * INDEX_COST
        self._spent = 0.0
        self._table: Table | None = None  # in the place of an index, if the file is not very large
        self._index: array[int] | None = None  # checksums of keys, each with the place of its line below it
        self._is_indexing = False
        self._has_quotes = data.startswith(b'"') or b'\n"' in data

    def find(self, key: str) -> Entry | None:
        """The first entry with that key, whatever the case of letters."""
        if self._table is not None:
            return self._table.find(key)
        octets = key.encode("latin-1").lower()
        if self._index is None:
            if not self._has_quotes and (self._spent < self._cost or self._is_indexing):
                return self._search(octets)
            if len(self._data) <= MEDIUM:
                self._table = Table(self._data)
                return self._table.find(key)
            self._is_indexing = True  # whoever comes meanwhile searches
            self._index = in_thread(_make_index, self._data)
        return self._by_index(octets)

    def _search(self, key: bytes) -> Entry | None:
        """Look through the file. No key in it has quotes, so one with a colon or white space in it is not there."""
        import pcre2

        if not key or key[0:1] == b"#" or any(octet in key for octet in b": \t\n\r\f\v"):
            return None
        start = time.perf_counter()
        escaped = _NOT_PLAIN.sub(lambda found: b"\\x%02x" % found[0][0], key)
        pattern = pcre2.compile(b"^%s(?=[: \\t\\n\\r\\f\\v]|\\z)" % escaped, pcre2.IGNORECASE | pcre2.MULTILINE)
        found: Any = pattern.search(self._data)
        self._spent += time.perf_counter() - start
        return None if found is None else self._entry(found.span()[0])

    def _by_index(self, key: bytes) -> Entry | None:
        index = self._index
        assert index is not None
        checksum = zlib.crc32(key)
        place = bisect_left(index, checksum << 32)
        while place < len(index) and index[place] >> 32 == checksum:
            entry = self._entry(index[place] & 0xFFFFFFFF)
            if entry[0].encode("latin-1").lower() == key:
                return entry
            place += 1
        return None

    def _entry(self, start: int) -> Entry:
        """The entry whose line begins there."""
        lines = _physical_lines(self._data, start)
        line = next(lines)
        for part in lines:
            trimmed = part.rstrip(_SPACE_OCTETS)
            if not trimmed or trimmed[0] not in _SPACE_OCTETS:
                break
            line = line.rstrip(_SPACE_OCTETS) + b" " + trimmed.lstrip(_SPACE_OCTETS)
        return entry_of(line.rstrip(_SPACE_OCTETS).decode("latin-1"))


def _physical_lines(data: bytes, start: int) -> Iterator[bytes]:
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        yield data[start:end]
        start = end + 1


def _make_index(data: bytes) -> array[int]:
    """For each line with a key a checksum of it, and where the line is, in order."""
    crc32 = zlib.crc32
    plain: list[int] = []
    for found in _LINE_KEY.finditer(data):
        key = found[0]
        if key[:1] == b'"':
            key = entry_of(key.decode("latin-1"))[0].encode("latin-1")
        plain.append(crc32(key.lower()) << 32 | found.start())
    plain.sort()
    return array("Q", plain)


def linear_file(data: bytes) -> Table | LargeFile:
    """The form in which a file's contents are kept."""
    return Table(data) if len(data) <= SMALL or len(data) >> 32 else LargeFile(data)


def entries(text: str) -> Iterator[Entry]:
    """The entries of such a file, in order."""
    for _, line in logical_lines(text.split("\n")):
        yield entry_of(line)


def logical_lines(physical_lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their continuations joined, each with the number (from 1) of the line it begins with.

    An empty line, or a comment, ends a line that could be continued.
    """
    line = ""
    start = 0
    for number, physical in enumerate(physical_lines, 1):
        trimmed = physical.rstrip(SPACE)
        if trimmed and trimmed[0] in SPACE:
            if line:
                line = f"{line} {trimmed.lstrip(SPACE)}"
            continue
        if line:
            yield start, line
        line = "" if trimmed[:1] == "#" else trimmed
        start = number
    if line:
        yield start, line


def entry_of(line: str) -> Entry:
    """The key of a line, without quotes, and what follows it."""
    if line[:1] == '"':
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

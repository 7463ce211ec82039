"""lsearch: a text file with a key at the start of each line."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from eximious.lookups.base import Options, SingleKeyLookup, lookups
from eximious.lookups.linear_file import Entry, LargeFile, Table, linear_file

if TYPE_CHECKING:
    from eximious.context import Context

PURPOSE: Final = "for linear search"

_AFTER_KEY = re.compile(r"[ \t\n\r\f\v]*:?[ \t\n\r\f\v]*")


class LinearSearch(SingleKeyLookup):
    """The first line that begins with the key, whatever the case of letters."""

    name = "lsearch"
    options = ("ret",)

    def find(self, context: Context, path: str, key: str, options: Options) -> str | None:
        file: Table | LargeFile = context.services.lookups.files.get(path, self.name, PURPOSE, _read)
        entry = file.find(key)
        return None if entry is None else answer(entry, options)


def answer(entry: Entry, options: Options) -> str:
    """What an entry gives: its data, or all of the line with ``ret=full``."""
    key, rest = entry
    if options.get("ret") == "full":
        return key + rest
    return data(rest)


def data(rest: str) -> str:
    """The data in what follows a key."""
    if rest[:2] == ": " and rest[2:3] > " ":
        return rest[2:]  # as most lines have it
    found = _AFTER_KEY.match(rest)
    return rest[found.end() :] if found else rest


def read_octets(fd: int, status: os.stat_result) -> bytes:
    """A whole file."""
    parts: list[bytes] = []
    while part := os.read(fd, max(status.st_size, 65536)):
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_text(fd: int, status: os.stat_result) -> str:
    """A whole file, one character an octet."""
    return read_octets(fd, status).decode("latin-1")


def _read(fd: int, status: os.stat_result) -> tuple[Table | LargeFile, int]:
    return linear_file(read_octets(fd, status)), status.st_size + status.st_size // 4 + 1024


lookups.register("lsearch")(LinearSearch())

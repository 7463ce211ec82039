"""``exim_dbmbuild``: an indexed file for dbm lookups, from a file in the form that lsearch has.

The output is a Berkeley DB file, as Exim on Debian and elsewhere reads it.
"""

from __future__ import annotations

import os
import sys
from typing import Final, NoReturn

from eximious.exim.utilities import complain, run
from eximious.octets import SPACE, lower

USAGE: Final = "usage: exim_dbmbuild [-nolc] <source file> <dbm base name>"
OPTIONS: Final = frozenset({"-nolc", "-nozero", "-lastdup", "-noduperr", "-nowarn"})
LONGEST_LINE: Final = 19_999
LONGEST_ENTRY: Final = 99_999
LONGEST_KEY: Final = 255
SOME_DUPLICATES: Final = 1
ABANDONED: Final = 2


class Abandoned(Exception):
    """The input cannot be used; what to print."""


def console() -> NoReturn:
    """The installed script."""
    run(main)


def main(arguments: list[str]) -> int:
    """Options, the input (``-`` is standard input), the output."""
    flags = {word for word in arguments[: max(0, len(arguments) - 2)] if word.startswith("-")}
    words = arguments[len(flags) :]
    if len(words) != 2 or flags - OPTIONS:
        return complain(USAGE)
    source, target = words
    if source == target:
        return complain("exim_dbmbuild: input and output filenames are the same")
    try:
        text = _read(source)
    except OSError as error:
        return complain(f"exim_dbmbuild: unable to open {source}: {error.strerror}")
    builder = Builder(flags)
    try:
        builder.read(text)
    except Abandoned as abandoned:
        print(f"{abandoned}\ndbmbuild abandoned")
        return ABANDONED
    try:
        _write(target, builder)
    except OSError as error:
        return complain(f"exim_dbmbuild: unable to create {target}.dbmbuild_temp: {error.strerror}")
    return builder.report()


def _read(source: str) -> str:
    if source == "-":
        return sys.stdin.buffer.read().decode("latin-1")
    with open(source, encoding="latin-1", newline="\n") as file:
        return file.read()


def _write(target: str, builder: Builder) -> None:
    """The file under a temporary name first."""
    from eximious.lookups.berkeley_writer import Writer

    temporary = f"{target}.dbmbuild_temp"
    mode = 0o640
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(Writer().build(builder.records))
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, target)


class Builder:
    """The records of a file, as they are collected."""

    def __init__(self, flags: set[str]) -> None:
        self._lowers = "-nolc" not in flags
        self._end = b"" if "-nozero" in flags else b"\0"
        self._takes_last = "-lastdup" in flags
        self._warns = "-nowarn" not in flags
        self._counts_duplicates = "-noduperr" not in flags
        self.records: dict[bytes, bytes] = {}
        self.duplicates = 0

    def read(self, text: str) -> None:
        """Take all entries of the text. Raises Abandoned."""
        from eximious.lookups.linear_file import entry_of

        line = ""
        for physical in text.split("\n"):
            if len(physical) >= LONGEST_LINE:  # with its newline it is longer
                raise Abandoned(f"Overlong line read: max permitted length is {LONGEST_LINE}")
            part = physical.rstrip(SPACE)
            if not part or part.startswith("#"):
                continue
            if part[0] not in SPACE:
                if line:
                    self._add(*entry_of(line))
                line = part
            elif not line:
                print(f"Unexpected continuation line ignored\n{physical}\n")
            else:
                line = f"{line} {part.lstrip(SPACE)}"
            if len(line) > LONGEST_ENTRY:
                raise Abandoned(f"Continued set of lines is too long: max permitted length is {LONGEST_ENTRY}")
        if line:
            self._add(*entry_of(line))

    def _add(self, key: str, rest: str) -> None:
        from eximious.lookups.lsearch import data

        if len(key) > LONGEST_KEY:
            raise Abandoned(f"Keys longer than {LONGEST_KEY} characters cannot be handled")
        octets = (lower(key) if self._lowers else key).encode("latin-1") + self._end
        if octets in self.records:
            self.duplicates += 1
            if self._warns:
                sys.stderr.write(f'** Duplicate key "{lower(key) if self._lowers else key}"\n')
            if not self._takes_last:
                return
        self.records[octets] = data(rest).encode("latin-1") + self._end

    def report(self) -> int:
        """Print how many entries there are; gives the exit status."""
        count = len(self.records)
        print(f"{count} {'entry' if count == 1 else 'entries'} written")
        if self.duplicates:
            print(f"{self.duplicates} duplicate key{'' if self.duplicates == 1 else 's'} ")
        return SOME_DUPLICATES if self.duplicates and self._counts_duplicates else 0

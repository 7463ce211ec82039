"""From files to logical lines: comments, macros, conditionals, inclusions, continuation.

Exim specification, chapter "The Exim runtime configuration file". Everything here happens to physical lines, before the
joining of continued lines, so an ``.include`` or a comment may stand in the middle of a setting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from eximious.config.conditionals import Conditionals
from eximious.config.errors import Faults
from eximious.config.lines import Line, Piece
from eximious.config.macros import EXPANSION_LIMIT, Macros
from eximious.config.trust import check_included
from eximious.errors import ConfigError, Place

SPACES = " \t\r\f\v\n"
DEPTH_LIMIT = 100  # of inclusions within inclusions; only a file that includes itself gets there
INCLUDE_LIMIT = 20_000  # inclusions altogether
SIZE_LIMIT = 1 << 26  # bytes of one file

_RUN_OF_SPACES = re.compile(r"(?<![ \t\r\f\v\n])[\t\r\f\v]")  # the first of a run becomes a space in -bP config


class Source:
    """A file being read."""

    __slots__ = ("lines", "number", "path")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.lines = text.split("\n")
        if not self.lines[-1]:
            self.lines.pop()
        self.number = 0  # of the line read last, from 1


class Reader:
    """Gives the logical lines of a configuration file and the files that it includes."""

    def __init__(self, macros: Macros, faults: Faults, check_file: Callable[[int, str], None] | None = None) -> None:
        self.macros = macros
        self.faults = faults
        self._check_file = check_file  # raises ConfigError for an open file whose owner or mode is wrong
        self._sources: list[Source] = []
        self._conditionals = Conditionals()  # one stack for all files, as in Exim
        self._last_source: Source | None = None
        self._last_line = 0
        self._included = 0
        self._pushed_back: Line | None = None
        self.files: list[str] = []  # every file that was read, for the reload check and for ``check``
        self.kept: list[str] = []  # the logical lines, with marks where files begin and go on, for -bP config

    def open(self, path: str) -> None:
        """Begin to read a file. Raises ConfigError if it cannot be, or must not be, read."""
        check_file = check_included if self._sources and self._check_file is not None else self._check_file
        source = Source(path, _contents(path, check_file))
        if self._sources:
            self._mark(self._sources[-1])
        self._sources.append(source)
        self.files.append(path)

    def _mark(self, source: Source) -> None:
        self.kept.append(f'# {source.number} "{source.path}"')

    def push_back(self, line: Line) -> None:
        """The next line shall be this one again."""
        self._pushed_back = line

    def place(self) -> Place:
        """Where reading has come to, for faults that are not about one line."""
        source = self._last_source or self._sources[-1]
        line = source.lines[self._last_line - 1] if self._last_line else ""
        return Place(source.path, self._last_line, 1, line)

    def next(self) -> Line | None:
        """The next logical line, or None at the end."""
        if self._pushed_back is not None:
            line, self._pushed_back = self._pushed_back, None
            return line
        while self._sources:
            line = self._logical()
            if line.text:
                self.kept.append(_RUN_OF_SPACES.sub(" ", line.text))
                return line
        return None

    def _logical(self) -> Line:
        """A logical line; an empty one at the end of a file, or where only an empty line is continued."""
        parts: list[str] = []
        pieces: list[Piece] = []
        length = 0
        while self._sources:
            source = self._sources[-1]
            if source.number >= len(source.lines):
                self._end_of_file()
                continue
            found = self._physical(source, is_first=not pieces)
            if found is None:
                continue
            piece, part = found
            is_continued = part.endswith("\\")
            piece.start = length
            pieces.append(piece)
            parts.append(part[:-1] if is_continued else part)
            length += len(parts[-1])
            if length > EXPANSION_LIMIT:
                self.faults.add("line too long", self.place())
                parts.clear()
                length = 0
            if not is_continued:
                break
        text = "".join(parts)
        return Line(text.rstrip(SPACES), pieces, self._last_line)

    def _end_of_file(self) -> None:
        """Leave the present file."""
        if len(self._sources) == 1 and not self._conditionals.at_end():
            self.faults.add("Unexpected end of configuration file: .endif missing", self.place())
        self._sources.pop()
        if self._sources:
            self._mark(self._sources[-1])

    def _physical(self, source: Source, is_first: bool) -> tuple[Piece, str] | None:
        """The next physical line, stripped and with macros replaced; None if there is nothing of it to use."""
        physical = source.lines[source.number]
        source.number += 1
        if source.number == 1:
            self._mark(source)
        self._last_line = source.number
        self._last_source = source
        text = physical.lstrip(SPACES)
        if text.startswith("#"):
            return None
        first_column = len(physical) - len(text)
        if "\0" in text:
            self.faults.add("NUL character in configuration", Place(source.path, source.number, 1, ""))
            text = text.replace("\0", "")
        start = _definition_start(text) if is_first else 0
        try:
            replaced, columns = self.macros.replace(text, start)
        except ConfigError as error:
            self.faults.take(error, self.place())
            return None
        if columns is not None:
            text = replaced.lstrip(SPACES)
            columns = [first_column + column for column in columns[len(replaced) - len(text) :]]
            if text.startswith("#") or (not text and is_first):
                return None
        if text.startswith(".") and self._directive(source, text, columns is not None):
            return None
        if self._conditionals.is_skipping:
            return None
        return Piece(0, source.path, source.number, physical, first_column, columns), text.rstrip(SPACES)

    def _directive(self, source: Source, text: str, has_macro: bool) -> bool:
        """Obey a line that begins with a dot; False if it is no directive."""
        try:
            if self._conditionals.obey(text, has_macro):
                return True
            if self._conditionals.is_skipping:
                return False
            return self._include(source, text)
        except ConfigError as error:
            self.faults.take(error, self.place())
            return True

    def _include(self, source: Source, text: str) -> bool:
        word, _, path = text.replace("\t", " ", 1).partition(" ")
        if word not in (".include", ".include_if_exists"):
            return False
        path = path.strip(SPACES)
        if len(path) > 1 and path[0] == path[-1] == '"':
            path = path[1:-1]
        if not path.startswith("/"):
            if word == ".include_if_exists":
                raise ConfigError(f'.include specifies a non-absolute path "{path}"')
            path = os.path.join(os.path.dirname(source.path), path)
        self._included += 1
        if len(self._sources) > DEPTH_LIMIT or self._included > INCLUDE_LIMIT:
            raise ConfigError(f"too many inclusions: does {path} include itself?")
        if word == ".include_if_exists" and not os.path.exists(path):
            return True
        self.open(path)
        return True


def _definition_start(text: str) -> int:
    """Where replacement begins: after the ``=`` in a line that defines a macro, else at the start."""
    if not ("A" <= text[:1] <= "Z"):
        return 0
    end = 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    while end < len(text) and text[end] in SPACES:
        end += 1
    return end + 1 if text[end : end + 1] == "=" else 0


def _contents(path: str, check_file: Callable[[int, str], None] | None) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigError(f"failed to open included configuration file {path}", hint=error.strerror or "") from error
    try:
        if check_file is not None:
            check_file(descriptor, path)
        os.set_blocking(descriptor, True)  # it was opened so that a pipe without a writer does not stop us
        content = _read(descriptor)
    except OSError as error:
        raise ConfigError(f"failed to read configuration file {path}", hint=error.strerror or "") from error
    finally:
        os.close(descriptor)
    if len(content) > SIZE_LIMIT:
        raise ConfigError(f"configuration file {path} is larger than {SIZE_LIMIT >> 20} MB")
    if content.startswith(b"\xef\xbb\xbf"):
        raise ConfigError("found unexpected BOM (Byte Order Mark)", Place(path, 1, 1, ""))
    return content.decode("latin-1")


def _read(descriptor: int) -> bytes:
    """Everything up to one octet more than is allowed."""
    parts: list[bytes] = []
    length = 0
    while length <= SIZE_LIMIT and (part := os.read(descriptor, 1 << 16)):
        parts.append(part)
        length += len(part)
    return b"".join(parts)

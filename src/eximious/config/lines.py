"""Logical lines of a configuration file, and the way back to the file from each character of them.

A logical line is what remains when comments are gone, macros are replaced, and continuation lines are joined. A fault
found in it is shown in the physical line where it was written; text that a macro brought in points to the macro's name.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from eximious.errors import Place


class Piece:
    """The part of a logical line that one physical line gave."""

    __slots__ = ("columns", "file", "first_column", "line", "physical", "start")

    def __init__(
        self, start: int, file: str, line: int, physical: str, first_column: int, columns: Sequence[int] | None = None
    ) -> None:
        self.start = start  # offset in the logical line
        self.file = file
        self.line = line
        self.physical = physical  # as in the file, before macros were replaced
        self.first_column = first_column  # of the piece's first character, from 0
        self.columns = columns  # one for each character where macros were replaced, from 0; else None

    def column(self, offset: int) -> int:
        """The column, from 1, of the character at this offset of the logical line."""
        index = offset - self.start
        if self.columns is None:
            return self.first_column + index + 1
        if not self.columns:
            return self.first_column + 1
        if index < len(self.columns):
            return self.columns[index] + 1
        return self.columns[-1] + 2


class Line:
    """A logical line: `text` has no white space at either end."""

    __slots__ = ("last_line", "pieces", "text")

    def __init__(self, text: str, pieces: list[Piece], last_line: int) -> None:
        self.text = text
        self.pieces = pieces  # in order, never empty
        self.last_line = last_line  # number of the last physical line read for it

    def place(self, offset: int = 0) -> LinePlace:
        """Where the character at this offset was written."""
        return LinePlace(self, offset)

    def piece(self, offset: int) -> Piece:
        """The piece that holds the character at this offset."""
        if len(self.pieces) == 1:
            return self.pieces[0]
        return self.pieces[max(0, bisect_right(self.pieces, offset, key=lambda piece: piece.start) - 1)]

    def __repr__(self) -> str:
        return f"Line({self.text!r}, {self.place()!r})"


class LinePlace(Place):
    """A place in a logical line; `at` follows the line's map (and a quoted string's) back to the file."""

    __slots__ = ("_line", "_offset", "_offsets")

    def __init__(self, line: Line, offset: int, offsets: Sequence[int] | None = None) -> None:
        piece = line.piece(offset)
        super().__init__(piece.file, piece.line, piece.column(offset), piece.physical)
        self._line = line
        self._offset = offset
        self._offsets = offsets  # offsets in the line of each character of an unquoted string; None if they just follow

    def at(self, offset: int) -> Place:
        """The place of the value's character at this offset."""
        if self._offsets is None:
            return LinePlace(self._line, self._offset + offset)
        if not self._offsets:
            return LinePlace(self._line, self._offset)
        if offset < len(self._offsets):
            return LinePlace(self._line, self._offsets[offset])
        return LinePlace(self._line, self._offsets[-1] + 1)

    @property
    def last_line(self) -> int:
        """The number of the last physical line that the logical line takes."""
        return self._line.last_line


class JoinedPlace(Place):
    """The place of a value that was put together from several settings."""

    __slots__ = ("_parts",)

    def __init__(self, parts: list[tuple[int, Place]]) -> None:
        first = parts[0][1]
        super().__init__(first.file, first.line, first.column, first.text)
        self._parts = parts  # where in the value each begins, and its place

    def at(self, offset: int) -> Place:
        """The place of the value's character at this offset."""
        start, place = next((part for part in reversed(self._parts) if part[0] <= offset), self._parts[0])
        return place.at(max(0, offset - start))

    def joined_with(self, start: int, place: Place) -> JoinedPlace:
        """The same with one more part, which begins at this offset."""
        return JoinedPlace([*self._parts, (start, place)])

    def shifted(self, by: int) -> JoinedPlace:
        """The same, with text of that length put before everything."""
        return JoinedPlace([(start + by, place) for start, place in self._parts])

"""``${headerwrap``: folding a long text for a header."""

from __future__ import annotations

from typing import Final

from eximious.expand.operator import operator
from eximious.octets import SPACE

TAB_COLUMNS: Final = 8
SHORTEST_LINE: Final = 11  # a line is not broken at a space before this column


@operator("headerwrap", suffix="lenient")
def headerwrap(text: str, first: int | None = None, second: int | None = None) -> str:
    """The text in lines of at most `first` columns (80), cut after `second` characters (998; 0 is no limit).

    A text that fits in the first line is not cut. Lines that it has already stay apart.
    """
    columns = 80 if first is None else first
    limit = 998 if second is None else second
    lines: list[str] = []
    room = columns
    for rest in text.removesuffix("\n").split("\n"):
        is_broken = False
        while len(rest) > room > 0:
            line, rest = _broken(rest, room)
            lines.append(line)
            room = columns - TAB_COLUMNS
            is_broken = True
        if rest or not is_broken:
            lines.append(rest)
        room = columns - TAB_COLUMNS
    wrapped = "\n\t".join(lines)
    return wrapped[:limit] if limit and len(lines) > 1 else wrapped


def _broken(text: str, room: int) -> tuple[str, str]:
    """The first line, and the rest. White space vanishes where it is the place of the break."""
    place = room
    while place >= SHORTEST_LINE and text[place] not in SPACE:
        place -= 1
    if place < SHORTEST_LINE:
        return text[:room], text[room:]
    return text[:place].rstrip(SPACE), text[place:].lstrip(SPACE)

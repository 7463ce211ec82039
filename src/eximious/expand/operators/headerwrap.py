"""``${headerwrap``: folding a long text for a header."""

from __future__ import annotations

import re
from typing import Final

from eximious.expand.operator import operator
from eximious.octets import SPACE

TAB_COLUMNS: Final = 8
SHORTEST_LINE: Final = 11  # a line is not broken at a space before this column
_SPACES = re.compile(r"[ \t\n\r\f\v]*")


@operator("headerwrap", suffix="lenient")
def headerwrap(text: str, first: int | None = None, second: int | None = None) -> str:
    """The text in lines of at most `first` columns (80), cut after `second` characters (998; 0 is no limit).

    A text that fits in the first line is not cut. Lines that it has already stay apart.
    """
    columns = 80 if first is None else first
    limit = 998 if second is None else second
    lines: list[str] = []
    room = columns
    for part in text.removesuffix("\n").split("\n"):
        at = 0
        while len(part) - at > room > 0:
            line, at = _broken(part, at, room)
            lines.append(line)
            room = columns - TAB_COLUMNS
        if at < len(part) or not part:
            lines.append(part[at:])
        room = columns - TAB_COLUMNS
    wrapped = "\n\t".join(lines)
    return wrapped[:limit] if limit and len(lines) > 1 else wrapped


def _broken(text: str, start: int, room: int) -> tuple[str, int]:
    """The line that begins there, and where the next one does. White space where it is broken vanishes."""
    place = start + room
    while place >= start + SHORTEST_LINE and text[place] not in SPACE:
        place -= 1
    if place < start + SHORTEST_LINE:
        return text[start : start + room], start + room
    following = _SPACES.match(text, place)
    return text[start:place].rstrip(SPACE), place if following is None else following.end()

"""Lists of addresses, as To:, Cc: and their kind have them: separated by commas, in groups or not."""

from __future__ import annotations

import re
from typing import Final

from eximious.address.parse import USUAL, AddressError, ParsedAddress, Rules, parse, parse_in_group
from eximious.octets import SPACE

_STOP: Final = re.compile(r'["(\\,\n@<]')
_SPACE: Final = re.compile(r"\s*")
_QUOTED_END: Final = re.compile(r'["\\]')
_COMMENT_MARK: Final = re.compile(r"[()\\]")
_GROUP: Final = re.compile(
    r'(?:[^\x00-\x20\x7f()<>@,;:\\".\[\]]|[\s.]|\\.|"(?:[^"\\]|\\.)*"|\([^()\\]*\))*+:(?!:)', re.DOTALL
)


class ListItem:
    """One address of a list and where it stood: `start` and `end` delimit the item, without its comma.

    `parsed` is None if the item is not an address; then `error` says why, in Exim's words. Positions in `parsed` count
    from `offset`.
    """

    __slots__ = ("end", "error", "offset", "parsed", "start")

    def __init__(self, start: int, end: int, offset: int, parsed: ParsedAddress | None, error: str) -> None:
        self.start = start
        self.end = end
        self.offset = offset
        self.parsed = parsed
        self.error = error


def parse_list(text: str, rules: Rules = USUAL) -> list[ListItem]:
    """The addresses of a header's text. Empty items and empty groups are left out; what is wrong is not."""
    items: list[ListItem] = []
    start = 0
    in_group = False
    while start < len(text):
        end = find_end(text, start)
        item_start = start
        piece = text[start:end]
        if not in_group and ":" in piece:
            group = _GROUP.match(piece)
            if group is not None and group.end() > 1:
                in_group = True
                item_start = start + group.end()
                piece = text[item_start:end]
        stripped = piece.strip(SPACE)
        if stripped and not (in_group and stripped[0] == ";"):
            parsed: ParsedAddress | None = None
            error = ""
            try:
                parsed = parse_in_group(piece, rules) if in_group else parse(piece, rules)
            except AddressError as fault:
                error = str(fault)
            items.append(ListItem(start, end, item_start, parsed, error))
        if in_group and ";" in piece and _ends_group(piece):
            in_group = False
        start = end + 1
    return items


def _ends_group(piece: str) -> bool:
    """True if there is a semicolon outside quotes and comments."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)|\\.', "", piece, flags=re.DOTALL)
    return ";" in bare


def find_end(text: str, start: int = 0, *, newline_ends: bool = False) -> int:
    """Where the list item that begins at `start` ends: at a comma (or newline, if so asked), or at the end.

    Quoted strings and comments are passed over, and the commas of a source route.
    """
    position = start
    may_be_route = True  # nothing but white space so far
    in_route = False
    size = len(text)
    while True:
        stop = _STOP.search(text, position)
        if stop is None:
            return size
        if may_be_route and text[position : stop.start()].strip(SPACE):
            may_be_route = False
        mark = stop[0]
        position = stop.end()
        if mark == ",":
            if not (in_route and text[_after_space(text, position)] in "@:"):
                return stop.start()
        elif mark == "\n":
            if newline_ends:
                return stop.start()
        elif mark == "<":
            may_be_route = True
            continue
        elif mark == "@":
            in_route = in_route or may_be_route
        elif mark == "\\":
            position += 1
        elif mark == '"':
            position = _after_quoted(text, position)
        else:
            position = _after_comment(text, position)
            continue
        may_be_route = False


def _after_space(text: str, position: int) -> int:
    """The position of what follows the white space; the last one if nothing does."""
    after = _SPACE.match(text, position).end()  # type: ignore[union-attr]
    return min(after, len(text) - 1)


def _after_quoted(text: str, position: int) -> int:
    while True:
        mark = _QUOTED_END.search(text, position)
        if mark is None:
            return len(text)
        if mark[0] == '"':
            return mark.end()
        position = mark.end() + 1


def _after_comment(text: str, position: int) -> int:
    depth = 1
    while True:
        mark = _COMMENT_MARK.search(text, position)
        if mark is None:
            return len(text)
        position = mark.end()
        if mark[0] == "(":
            depth += 1
        elif mark[0] == "\\":
            position += 1
        else:
            depth -= 1
            if depth == 0:
                return position

"""The tree of addresses that a -H file lists as done with.

Exim writes a binary search tree from its root on: each line has Y or N for "has a left branch" and "has a right
branch", then the address; the branches follow at once. An empty tree is the line ``XX``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from eximious.spool.errors import SpoolFormatError
from eximious.taint import Tainted

MAX_NODES: Final = 2_000_000

EMPTY: Final = "XX"


def lines(addresses: Iterable[str]) -> Iterator[str]:
    """The lines, without newlines, of a balanced tree of the addresses."""
    ordered = sorted(addresses)
    if not ordered:
        yield EMPTY
        return
    waiting = [(0, len(ordered))]
    while waiting:
        low, high = waiting.pop()
        middle = (low + high) // 2
        has_left, has_right = low < middle, middle + 1 < high
        yield f"{'Y' if has_left else 'N'}{'Y' if has_right else 'N'} {ordered[middle]}"
        if has_right:
            waiting.append((middle + 1, high))
        if has_left:
            waiting.append((low, middle))


def parse(first: str, next_line: Callable[[], str]) -> set[str]:
    """The addresses of the tree whose first line is `first`; the others come from `next_line`."""
    found: set[str] = set()
    if first == EMPTY:
        return found
    line = first
    expected = 1
    while True:
        if len(line) < 3 or line[0] not in "YN" or line[1] not in "YN" or line[2] != " ":
            raise SpoolFormatError("nonrecipients: not a line of the tree")
        found.add(Tainted(line[3:]))
        expected += (line[0] == "Y") + (line[1] == "Y") - 1
        if expected == 0:
            return found
        if expected > MAX_NODES or len(found) > MAX_NODES:
            raise SpoolFormatError("nonrecipients: too many")
        line = next_line()

"""How the tags of a message signature and of a seal are laid out in lines.

Usually as Exim does it, so that equal messages get equal sets. The other way, with the tags in alphabetical order, is
what the published test suite has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

PIECE: Final = 74  # characters of a signature in a line
WIDTH: Final = 78  # of a line with names of headers
INDENT: Final = "\r\n\t  "  # of the lines that go on with a long value
_FIRST: Final = ("i", "cv", "a", "c", "d", "s", "t", "x")  # all in one line


def as_exim(name: str, tags: dict[str, str]) -> tuple[str, str]:
    """A field in two parts, between which the value of b= belongs."""
    lines = [f"{name}: " + "; ".join(f"{tag}={tags[tag]}" for tag in _FIRST if tag in tags)]
    if "bh" in tags:
        lines += [f"bh={tags['bh']}", f"h={_names(tags['h'].split(':'))}", "b="]
    else:
        lines.append(" b=")
    return ";\r\n\t".join(lines), ";\r\n"


def alphabetical(name: str, tags: dict[str, str]) -> tuple[str, str]:
    """The same, each tag in a line. Lines begin with a space: dkimpy looks for one before ``i=``."""
    before = [f"{tag}={tags[tag]}" for tag in sorted(tags) if tag < "b"]
    after = [f"{tag}={tags[tag]}" for tag in sorted(tags) if tag > "b"]
    return f"{name}: " + ";\r\n ".join([*before, "b="]), ";\r\n ".join(["", *after]) + "\r\n"


def divided(signature: str) -> str:
    """A signature in lines."""
    return INDENT.join(signature[at : at + PIECE] for at in range(0, len(signature), PIECE))


def _names(names: Iterable[str]) -> str:
    lines = [""]
    column = 3  # after the tab and "h="; later, after what a line begins with
    for name in names:
        if column + len(name) > WIDTH and lines[-1]:
            lines.append("")
            column = 3
        lines[-1] += name + ":"
        column += len(name) + 1
    return INDENT.join(lines)[:-1]

"""How the tags of a signature are laid out in lines. Exim's way, so that equal messages get equal signatures.

No line is longer than 78 octets unless a word is. The values of b= and bh= may be divided anywhere, those of h= after
a colon; a semicolon that does not fit begins a line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

WIDTH: Final = 78  # octets of a line; the tab at its beginning is one
DIVISIBLE: Final = frozenset({"b", "bh"})


class _Lines:
    __slots__ = ("_column", "_pieces")

    def __init__(self, head: str) -> None:
        self._pieces = [head]
        self._column = len(head)

    def text(self) -> str:
        return "".join(self._pieces)

    def _line(self) -> None:
        self._pieces.append("\r\n\t")
        self._column = 1

    def _put(self, text: str) -> None:
        self._pieces.append(text)
        self._column += len(text)

    def word(self, text: str) -> None:
        """Something that is not divided, on this line or the next."""
        if self._column + len(text) > WIDTH:
            self._line()
        self._put(text)

    def tag(self, text: str) -> None:
        """A tag that is not divided, with a space before it unless it begins a line."""
        if self._column + 1 + len(text) > WIDTH:
            self._line()
            self._put(text)
        else:
            self._put(" " + text)

    def long_tag(self, intro: str, value: str) -> None:
        """A tag whose value is divided wherever the line ends, if it is longer than a line."""
        if 1 + len(intro) + len(value) < WIDTH:
            self.tag(intro + value)
            return
        self._put(" ")
        self.word(intro)
        while len(value) >= WIDTH:
            room = WIDTH - self._column
            self._put(value[:room])
            value = value[room:]
            self._line()
        if self._column + len(value) > WIDTH:
            room = WIDTH - self._column
            self._put(value[:room])
            value = value[room:]
            self._line()
        self._put(value)


def laid_out(name: str, tags: Iterable[tuple[str, str]]) -> str:
    """The field with these tags, in order; each ends with a semicolon. There is no line end after the last."""
    lines = _Lines(f"{name}:")
    for tag, value in tags:
        intro = f"{tag}="
        if tag in DIVISIBLE:
            lines.long_tag(intro, value)
        elif tag == "h":
            first, *others = value.split(":")
            lines.tag(intro + first)
            for word in others:
                lines.word(":")
                lines.word(word)
        else:
            lines.tag(intro + value)
        lines.word(";")
    return lines.text()

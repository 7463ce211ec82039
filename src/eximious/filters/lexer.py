"""Words and strings of Exim filter files. (Exim's interfaces to mail filtering, "Format of Exim filter files".)"""

from __future__ import annotations

from typing import Final

from eximious.errors import EximiousError

SPACES: Final = " \t\n\r\f\v"
ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}


class FilterError(EximiousError):
    """A filter that cannot be understood or obeyed; the message is Exim's."""


class Lexer:
    """The text of a filter, read from the start. Raises FilterError for a string without an end.

    `line` is the number of the line that has been reached; as in Exim it counts white space that was read twice twice.
    """

    __slots__ = ("line", "position", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.line = 1
        self.skip()

    def skip(self) -> None:
        """Pass over white space and comments, which begin with ``#`` where a word could."""
        text = self.text
        while self.position < len(text):
            character = text[self.position]
            if character == "#":
                end = text.find("\n", self.position)
                self.position = len(text) if end < 0 else end
                continue
            if character not in SPACES:
                return
            if character == "\n":
                self.line += 1
            self.position += 1

    @property
    def at_end(self) -> bool:
        """True if nothing is left."""
        return self.position >= len(self.text)

    def peek(self) -> str:
        """The next character, "" at the end."""
        return self.text[self.position : self.position + 1]

    def word(self, *, brackets_end: bool = False) -> str:
        """The next word, up to white space, or to a parenthesis if so asked; "" at the end."""
        text = self.text
        start = self.position
        if brackets_end and text[start : start + 1] in ("(", ")"):
            self.position += 1
        else:
            while self.position < len(text):
                character = text[self.position]
                if character in SPACES or (brackets_end and character in "()"):
                    break
                self.position += 1
        word = text[start : self.position]
        self.skip()
        return word

    def item(self, *, brackets_end: bool = False) -> str:
        """The next word or quoted string, with the escapes in it replaced."""
        if self.peek() != '"':
            return self.word(brackets_end=brackets_end)
        out: list[str] = []
        text = self.text
        self.position += 1
        while True:
            character = self.peek()
            if character in ("", "\n"):
                raise FilterError(f"quote missing at end of string in line {self.line}")
            self.position += 1
            if character == '"':
                break
            out.append(self._escaped() if character == "\\" and self.position < len(text) else character)
        self.skip()
        return "".join(out)

    def _escaped(self) -> str:
        """What stands behind a backslash: an escape, or a line end that does not count, with white space behind it."""
        text = self.text
        end = _past_blanks(text, self.position)
        if text.startswith("\n", end):
            self.line += 1
            self.position = _past_blanks(text, end + 1)
            return ""
        character = text[self.position]
        self.position += 1
        if character in ESCAPES:
            return ESCAPES[character]
        if character in "01234567":
            return chr(int(self._digits(character, "01234567", 2), 8) & 0xFF)
        if character == "x":
            digits = self._digits("", "0123456789abcdefABCDEF", 2)
            return chr(int(digits, 16)) if digits else "\0"
        return character

    def _digits(self, first: str, allowed: str, most: int) -> str:
        digits = first
        while most > 0 and self.peek() and self.peek() in allowed:
            digits += self.peek()
            self.position += 1
            most -= 1
        return digits

    def next_is(self, *words: str) -> str:
        """The next word if it is one of these, and then it is taken; else "", and it stays (but its lines count)."""
        position = self.position
        word = self.word()
        if word in words:
            return word
        self.position = position
        return ""


def _past_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t":
        position += 1
    return position

"""Words of routing rules: text without white space, or a quoted string."""

from __future__ import annotations

from typing import Final

SPACES: Final = " \t\n\r\f\v"
ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "a": "\a"}


def next_word(text: str) -> tuple[str, str]:
    """The first word, without its quotes, and the rest, without the white space before it."""
    text = text.lstrip(SPACES)
    if text.startswith('"'):
        word, end = _quoted(text)
        return word, text[end:].lstrip(SPACES)
    end = 0
    while end < len(text) and text[end] not in SPACES:
        end += 1
    return text[:end], text[end:].lstrip(SPACES)


def _quoted(text: str) -> tuple[str, int]:
    """The string that the text begins with, and where it ends."""
    out: list[str] = []
    position = 1
    while position < len(text) and text[position] != '"':
        character = text[position]
        position += 1
        if character == "\\" and position < len(text):
            character, position = _escaped(text, position)
        out.append(character)
    return "".join(out), min(position + 1, len(text))


def _escaped(text: str, position: int) -> tuple[str, int]:
    """What an escape stands for, and where it ends: ``n``, an octal number, ``x41``, or the character itself."""
    character = text[position]
    if character in ESCAPES:
        return ESCAPES[character], position + 1
    if character in "01234567":
        end = position
        while end < min(position + 3, len(text)) and text[end] in "01234567":
            end += 1
        return chr(int(text[position:end], 8) & 0xFF), end
    if character == "x":
        end = position + 1
        while end < min(position + 3, len(text)) and text[end] in "0123456789abcdefABCDEF":
            end += 1
        if end > position + 1:
            return chr(int(text[position + 1 : end], 16)), end
    return character, position + 1

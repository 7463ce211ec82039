"""Command lines as text: split into words first, so that no value can add words."""

from __future__ import annotations

import re
from typing import Final

MOST_WORDS: Final = 500  # of one command

_WORD = re.compile(r"""'([^']*)(?:'|\Z)|"((?:[^"\\]|\\.)*)(?:"|\Z)|([^ \t\n\r\f\v]+)""", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v", "f": "\f"}


def split_words(text: str) -> list[str]:
    """The words of a command line. ``"`` and ``'`` keep words together; in ``"`` a backslash escapes.

    Raises ValueError if there are too many words.
    """
    found: list[str] = []
    for word in _WORD.finditer(text):
        if len(found) >= MOST_WORDS:
            raise ValueError(f'Too many arguments to command "{text}"')
        if word[2] is not None:
            found.append(unescaped(word[2]))
        else:
            found.append(word[1] if word[1] is not None else word[3])
    return found


def unescaped(text: str) -> str:
    """The text with what backslashes stand for."""
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    if found[2]:
        return chr(int(found[2], 8) & 255)
    return _LETTERS.get(found[3], found[3])

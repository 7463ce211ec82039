"""Text that came from outside, made fit to be shown on one line."""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\v": r"\v", "\f": r"\f", "\\": r"\\"}

_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")
_UNPRINTABLE_ASCII: Final = re.compile(r"[\x00-\x1f\x7f]")
_UNPRINTABLE_BUT_TAB: Final = re.compile(r"[^\t\x20-\x7e]")
_UNPRINTABLE_ASCII_BUT_TAB: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def printing(text: str, *, top_bit: bool = False, tab: bool = False) -> str:
    r"""The text with what does not print as ``\n``, ``\t``, ... or ``\ooo``.

    Octets from 128 on print where `top_bit` says so (the option print_topbitchars), tabs where `tab` does. A backslash
    stays as it is.
    """
    if tab:
        pattern = _UNPRINTABLE_ASCII_BUT_TAB if top_bit else _UNPRINTABLE_BUT_TAB
    else:
        pattern = _UNPRINTABLE_ASCII if top_bit else _UNPRINTABLE
    if pattern.search(text) is None:
        return text
    return pattern.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or f"\\{ord(character):03o}"


# An entry may go on in further lines only where these begin with white space; so nobody outside can begin a line.
_BREAKS: Final = re.compile(r"\n(?![ \t])|[\x00-\x08\x0b-\x1f\x7f]")


def entry(text: str) -> str:
    """The text of a log entry, with whatever could pass for the beginning of another one escaped."""
    text = text.rstrip("\n")
    return text if _BREAKS.search(text) is None else _BREAKS.sub(_escape, text)

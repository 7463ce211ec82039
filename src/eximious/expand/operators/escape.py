"""Escapes for what cannot be printed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.expand.operator import operator

if TYPE_CHECKING:
    from eximious.context import Context

_LETTERS: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\v": "\\v", "\f": "\\f"}
_NOT_PRINTING = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\xff]")
_NOT_PRINTING_7 = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HIGH = re.compile(r"[\x7f-\xff\\]")
_NOT_GRAPHIC = re.compile(r"[^\x21-\x7e]")


def _escaped(found: re.Match[str]) -> str:
    return _LETTERS.get(found[0]) or f"\\{ord(found[0]):03o}"


@operator("escape")
def escape(context: Context, text: str) -> str:
    """Octal escapes for what is not printed; print_topbitchars says what octets above 127 are."""
    pattern = _NOT_PRINTING_7 if context.config.main.print_topbitchars else _NOT_PRINTING
    return pattern.sub(_escaped, text)


@operator("escape8bit")
def escape8bit(text: str) -> str:
    """Octal escapes for octets above 126 and for backslashes."""
    return _HIGH.sub(lambda found: f"\\{ord(found[0]):03o}", text)


@operator("hexquote")
def hexquote(text: str) -> str:
    """Hexadecimal escapes for all but printed characters; a space counts as not printed."""
    return _NOT_GRAPHIC.sub(lambda found: f"\\x{ord(found[0]):02x}", text)

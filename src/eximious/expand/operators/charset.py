"""UTF-8 and ISO 8859-1."""

from __future__ import annotations

import re

from eximious.expand.operator import operator


@operator("from_utf8")
def from_utf8(text: str) -> str:
    """UTF-8 to ISO 8859-1; characters that this does not have become underscores.

    A lead octet takes as many others with it as it announces, whatever they are; stray continuations stay.
    """
    return text if text.isascii() else _LED.sub(_latin, text)


_LED = re.compile(r"[\xc0-\xdf].?|[\xe0-\xef].{0,2}|[\xf0-\xf7].{0,3}|[\xf8-\xfb].{0,4}|[\xfc-\xff].{0,5}", re.DOTALL)


def _latin(found: re.Match[str]) -> str:
    lead, *others = found[0].encode("latin-1")
    bits = 0x1F if lead < 0xE0 else 0x0F if lead < 0xF0 else 0x07 if lead < 0xF8 else 0x03 if lead < 0xFC else 0x01
    announced = 6 - bits.bit_length()
    number = lead & bits
    for octet in [*others, *([0] * (announced - len(others)))]:
        number = number << 6 | octet & 0x3F
    return chr(number) if number < 256 else "_"


@operator("utf8clean")
def utf8clean(text: str) -> str:
    """The text with a question mark for each sequence that is not UTF-8."""
    return text if text.isascii() else _SEQUENCE.sub(_checked, text)


# A lead octet with as many continuations as it announces, as far as they are there; or a stray octet.
_SEQUENCE = re.compile(r"[\xc2-\xdf][\x80-\xbf]?|[\xe0-\xef][\x80-\xbf]{0,2}|[\xf0-\xf7][\x80-\xbf]{0,3}|[\x80-\xff]")


def _checked(found: re.Match[str]) -> str:
    try:
        found[0].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return "?"
    return found[0]

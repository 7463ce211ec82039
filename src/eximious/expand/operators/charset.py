"""UTF-8 and ISO 8859-1."""

from __future__ import annotations

import re

from eximious.expand.operator import operator


@operator("from_utf8")
def from_utf8(text: str) -> str:
    """UTF-8 to ISO 8859-1; characters that this does not have become underscores."""
    if text.isascii():
        return text
    decoded = text.encode("latin-1").decode("utf-8", "replace")
    return "".join([character if character <= "\xff" else "_" for character in decoded])


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

"""Character sets by the names that mail has for them.

A name comes from a stranger, so it is looked for in a table before Python's codecs hear of it: they remember every name
that they were ever asked for, and know "encodings" that take quadratic time or are none of text.
"""

from __future__ import annotations

from functools import cache
from typing import Final

_NOT_CHARSETS: Final = frozenset(
    {
        "base64_codec", "bz2_codec", "hex_codec", "mbcs", "oem", "quopri_codec", "rot_13", "uu_codec", "zlib_codec",
        "idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape",
    }
)  # fmt: skip
# Codecs that have no alias in Python's own table.
_WITHOUT_ALIAS: Final = ("cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "koi8_t", "koi8_u", "mac_arabic")
_UNSTEADY: Final = str.maketrans("- .", "___")


class UnknownCharset(LookupError):
    """There is no such character set, or no way from one to the other."""

    def __init__(self, source: str, target: str) -> None:
        super().__init__(f"cannot convert from {source} to {target}")
        self.source = source
        self.target = target


@cache
def _codecs() -> dict[str, str]:
    from encodings.aliases import aliases

    known = {name: codec for name, codec in aliases.items() if codec not in _NOT_CHARSETS}
    known.update({codec: codec for codec in (*known.values(), *_WITHOUT_ALIAS)})
    return known


def codec_for(name: str) -> str | None:
    """The name of Python's codec for a character set; None if there is none. Case and punctuation do not matter."""
    return _codecs().get(name.lower().translate(_UNSTEADY))


def convert(raw: str, source: str, target: str) -> str:
    """Octets of one character set as octets of another, as they are if they are not of the first.

    Raises UnknownCharset.
    """
    if not target or source.lower() == target.lower():
        return raw
    from_codec, to_codec = codec_for(source), codec_for(target)
    if from_codec is None or to_codec is None:
        raise UnknownCharset(source, target)
    try:
        return raw.encode("latin-1").decode(from_codec).encode(to_codec).decode("latin-1")
    except UnicodeError:
        return raw

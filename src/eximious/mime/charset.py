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
# What stands for a character that cannot be had, where that is not one of the same letters.
_SIMILAR: Final = dict(
    zip("\u20ac\xdf\xc6\xe6\xd8\xf8\u0152\u0153", ["EUR", "ss", "AE", "ae", "O", "o", "OE", "oe"], strict=True)
) | dict(zip("\u2018\u2019\u201c\u201d\u2013\u2014", "''\"\"--", strict=True))
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
    """Octets of one character set as octets of another, as they are if that is impossible.

    After the name of the second, ``//IGNORE`` leaves out what it does not have, and ``//TRANSLIT`` gives something
    similar in its place, as iconv does. Raises UnknownCharset.
    """
    if not target or source.lower() == target.lower():
        return raw
    name, _, manner = target.partition("//")
    from_codec, to_codec = codec_for(source), codec_for(name)
    if from_codec is None or to_codec is None:
        raise UnknownCharset(source, target)
    try:
        text = raw.encode("latin-1").decode(from_codec)
        return _encoded(text, to_codec, manner.upper().split("//")).decode("latin-1")
    except UnicodeError:
        return raw


def _encoded(text: str, codec: str, manner: list[str]) -> bytes:
    """The text in a character set. Raises UnicodeError for what that does not have, unless the manner helps."""
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        if "TRANSLIT" in manner:
            text = "".join([_similar(character, codec) for character in text])
        elif "IGNORE" not in manner:
            raise
    return text.encode(codec, "ignore")


def _similar(character: str, codec: str) -> str:
    """The character, or what stands for it in a character set that does not have it."""
    import unicodedata

    for similar in (character, unicodedata.normalize("NFKD", character), _SIMILAR.get(character, "?")):
        if encoded := similar.encode(codec, "ignore"):
            return encoded.decode(codec)
    return ""

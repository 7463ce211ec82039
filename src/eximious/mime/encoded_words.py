"""Encoded words (RFC 2047): text of other character sets in header lines, read and written as Exim does it.

Text is octets in `str`, of the character set that is named beside it.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

from eximious.mime.charset import convert

LONGEST_WORD: Final = 75  # octets of one encoded word (RFC 2047 section 2)
FULL_WORD: Final = 67  # octets of encoded text after which a new word begins

_WORD: Final = re.compile(r"=\?([^?\s]*)\?([^?\s]*)\?([^?\s]*)\?=")
_HEX: Final = re.compile(r"=([0-9A-Fa-f]{2})")
_BAD_HEX: Final = re.compile(r"=(?![0-9A-Fa-f]{2})")
_SPECIAL: Final = frozenset('?=()<>@,;:\\".[]_')


def decode(text: str, charset: str, check_length: bool) -> str:
    """The text with its encoded words decoded into a character set; white space between two of them vanishes.

    With `check_length` a word longer than the standard allows is left alone. Without a `charset` the octets that the
    words stand for are not converted. Raises `eximious.mime.charset.UnknownCharset`.
    """
    parts: list[str] = []
    at = 0
    after_word = False
    for found in _WORD.finditer(text):
        decoded = _decoded(found, charset, check_length)
        if decoded is None:
            continue
        between = text[at : found.start()]
        if not (after_word and not between.strip(" \t\r\n")):
            parts.append(between)
        parts.append(decoded)
        at = found.end()
        after_word = True
    parts.append(text[at:])
    return "".join(parts)


def _decoded(found: re.Match[str], charset: str, check_length: bool) -> str | None:
    """What an encoded word says; None if it is not one."""
    if check_length and len(found[0]) > LONGEST_WORD:
        return None
    kind = found[2].upper()
    if kind == "Q":
        if _BAD_HEX.search(found[3]):
            return None
        raw = _HEX.sub(lambda hex: chr(int(hex[1], 16)), found[3].replace("_", " "))
    elif kind == "B":
        try:
            raw = binascii.a2b_base64(found[3].encode("latin-1"), strict_mode=True).decode("latin-1")
        except binascii.Error:
            return None
    else:
        return None
    return convert(raw.replace("\0", "?"), found[1], charset)


def encode(text: str, charset: str) -> str:
    """The text as it is if it is printable without special characters, else as encoded words.

    A word ends when it has more than 67 octets, but not after the first of two octets that are encoded: they may be
    one character.
    """
    if all(" " <= character <= "~" and character not in _SPECIAL for character in text):
        return text
    words: list[str] = []
    word: list[str] = []
    length = 0
    in_pair = False
    for character in text:
        if length > FULL_WORD and not in_pair:
            words.append("".join(word))
            word.clear()
            length = 0
        encoded = _encoded(character)
        in_pair = len(encoded) > 1 and not in_pair
        word.append(encoded)
        length += len(encoded)
    words.append("".join(word))
    return " ".join([f"=?{charset}?Q?{word}?=" for word in words])


def _encoded(character: str) -> str:
    if character == " ":
        return "_"
    if "!" <= character <= "~" and character not in _SPECIAL:
        return character
    return f"={ord(character):02X}"

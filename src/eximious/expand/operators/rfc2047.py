"""Encoded words in headers (RFC 2047)."""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Final

from eximious.errors import ExpandError
from eximious.expand.operator import operator

if TYPE_CHECKING:
    from eximious.context import Context

LONGEST_WORD: Final = 75  # octets of one encoded word; RFC 2047, section 2
FULL_WORD: Final = 67  # octets of encoded text after which a new word begins

_WORD = re.compile(r"=\?([^?\s]*)\?([^?\s]*)\?([^?\s]*)\?=")
_HEX = re.compile(r"=([0-9A-Fa-f]{2})")
_BAD_HEX = re.compile(r"=(?![0-9A-Fa-f]{2})")
_SPECIAL: Final = frozenset('?=()<>@,;:\\".[]_')


def decode_words(text: str, context: Context, *, converts: bool = True) -> str:
    """The text with its encoded words decoded, into the character set that `headers_charset` names, or not converted."""
    charset = context.config.main.headers_charset or "UTF-8" if converts else ""
    return decode(text, charset, context.config.main.check_rfc2047_length)


def decode(text: str, charset: str, check_length: bool) -> str:
    """The text with its encoded words decoded; white space between two of them vanishes.

    Without a `charset` the octets that the words stand for are not converted.
    """
    parts: list[str] = []
    at = 0
    after_word = False
    for found in _WORD.finditer(text):
        decoded = _decoded(found, charset, check_length)
        if decoded is None:
            continue
        between = text[at : found.start()]
        if not (after_word and _is_space(between)):
            parts.append(between)
        parts.append(decoded)
        at = found.end()
        after_word = True
    parts.append(text[at:])
    return "".join(parts)


def _is_space(text: str) -> bool:
    return not text.strip(" \t\r\n")


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
    return _converted(raw.replace("\0", "?"), found[1], charset)


def _converted(raw: str, source: str, target: str) -> str:
    """Octets of one character set as octets of another, as they are if they are not of the first.

    Raises ExpandError for a character set that is not known.
    """
    if not target or source.lower() == target.lower():
        return raw
    try:
        return raw.encode("latin-1").decode(source).encode(target).decode("latin-1")
    except LookupError:
        raise ExpandError(
            f'iconv_open("{target}", "{source}") failed: Invalid argument (maybe unsupported conversion)'
        ) from None
    except UnicodeError:
        return raw


@operator("rfc2047d")
def rfc2047d(context: Context, text: str) -> str:
    """Encoded words decoded."""
    return decode_words(text, context) if "=?" in text else text


@operator("rfc2047")
def rfc2047(context: Context, text: str) -> str:
    """The text as encoded words, if it cannot stand as it is."""
    return encode(text, context.config.main.headers_charset or "UTF-8")


def encode(text: str, charset: str) -> str:
    """The text as it is if it is printable without special characters, else as encoded words.

    A word ends when it has more than 67 octets, but not after the first of two octets that are encoded: they may be
    one character.
    """
    if all(" " <= character <= "~" and character not in _SPECIAL for character in text):
        return text
    words: list[str] = []
    word = ""
    in_pair = False
    for character in text:
        if len(word) > FULL_WORD and not in_pair:
            words.append(word)
            word = ""
        encoded = _encoded(character)
        in_pair = len(encoded) > 1 and not in_pair
        word += encoded
    words.append(word)
    return " ".join(f"=?{charset}?Q?{word}?=" for word in words)


def _encoded(character: str) -> str:
    if character == " ":
        return "_"
    if "!" <= character <= "~" and character not in _SPECIAL:
        return character
    return f"={ord(character):02X}"

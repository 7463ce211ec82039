"""``${imapfolder``: names of IMAP folders in modified UTF-7 (RFC 3501, section 5.1.3)."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from eximious.errors import ExpandError
from eximious.expand.item import item

if TYPE_CHECKING:
    from eximious.context import Context


@item("imapfolder", 1, 3)
def imapfolder(context: Context, name: str, separator: str = "/", specials: str = "") -> str:
    """The folder's name: levels, between separators, become parts with dots; `specials` are encoded though they could
    be printed."""
    if len(separator) != 1:
        raise ExpandError(f'IMAP folder separator must be one character, found "{separator}"')
    charset = context.config.main.headers_charset or "UTF-8"
    try:
        characters = name.encode("latin-1").decode(charset)
    except (UnicodeDecodeError, LookupError):
        message = "Invalid or incomplete multibyte or wide character"
        raise ExpandError(f"imapfolder: iconv() failed to convert from {charset}: {message}") from None
    return _encoded(characters, separator, specials)


def _encoded(name: str, separator: str, specials: str) -> str:
    parts: list[str] = []
    waiting = ""  # to be encoded together
    for character in name:
        if " " <= character <= "~" and character not in specials:
            if waiting:
                parts.append(_shifted(waiting))
                waiting = ""
            parts.append(_plain(character, separator))
        else:
            waiting += character
    if waiting:
        parts.append(_shifted(waiting))
    return "".join(parts)


def _plain(character: str, separator: str) -> str:
    if character == separator:
        return "."
    if character in "/.":
        raise ExpandError(f"imapfolder: illegal character '{character}'")
    return "&-" if character == "&" else character


def _shifted(characters: str) -> str:
    """UTF-16 in base 64, between ``&`` and ``-``."""
    encoded = binascii.b2a_base64(characters.encode("utf-16-be"), newline=False).decode("ascii")
    return f"&{encoded.rstrip('=').replace('/', ',')}-"

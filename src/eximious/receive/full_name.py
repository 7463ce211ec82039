"""Names of people: from the account database, and as phrases in addresses, quoted or encoded as need be.

(Exim specification, "Constructed addresses", option gecos_pattern.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from eximious.errors import Defer, ExpandError

if TYPE_CHECKING:
    from eximious.config.main import MainOptions
    from eximious.context import Context

ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ \t\x80-\xff]*")


def phrase(name: str, main: MainOptions) -> str:
    """The name so that it can stand before an address in a header."""
    if not name:
        return ""
    if not _is_printable(name, main):
        return _encoded(name, main.headers_charset or "iso-8859-1")
    if ATOMS.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_printable(name: str, main: MainOptions) -> bool:
    return all(" " <= c <= "~" or (c >= "\x80" and main.print_topbitchars) or c == "\t" for c in name)


def _encoded(name: str, charset: str) -> str:
    """RFC 2047, the encoding Q; in words of at most 75 characters."""
    room = 75 - len(charset) - 7
    words: list[str] = []
    word = ""
    for character in name:
        if character == " ":
            piece = "_"
        elif character.isascii() and character.isalnum():
            piece = character
        else:
            piece = f"={ord(character):02X}"
        if len(word) + len(piece) > room:
            words.append(word)
            word = ""
        word += piece
    words.append(word)
    return " ".join(f"=?{charset}?Q?{part}?=" for part in words)


def full_name(gecos: str, login: str, context: Context) -> str:
    """The name in a gecos field: what comes before the first comma, or what the options make of it; & is the login."""
    main = context.config.main
    plain = gecos.replace("&", login[:1].upper() + login[1:])
    if main.gecos_pattern is not None and main.gecos_name is not None:
        import pcre2

        found = pcre2.compile(main.gecos_pattern).match(plain)
        if found is not None:
            before = context.captures
            context.captures = [found.group(0), *(text or "" for text in found.groups())]
            try:
                return str(main.gecos_name.expand(context))
            except (ExpandError, Defer):
                return plain
            finally:
                context.captures = before
    return plain.partition(",")[0]


def octets_of(text: str) -> str:
    """Text of the account database, a character an octet."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")

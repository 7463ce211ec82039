"""Tag lists (RFC 6376 section 3.2), which signatures, keys, seals and DMARC records are.

>>> parse("v=1; a=rsa-sha256;\\r\\n\\td = example.org;")
{'v': '1', 'a': 'rsa-sha256', 'd': 'example.org'}
"""

from __future__ import annotations

import binascii
import re
from typing import Final

TAG_LIMIT: Final = 500  # tags of a list
LENGTH_LIMIT: Final = 100_000  # octets of a list

_SPACE: Final = " \t\r\n"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Names that need not be looked at letter by letter.
_USUAL: Final = {"v", "a", "b", "bh", "c", "cv", "d", "h", "i", "k", "l", "n", "p", "q", "s", "t", "x", "z"}
_QUOTED: Final = re.compile(r"=([0-9A-F]{2})", re.IGNORECASE)
_CONTROLS: Final = bytes([*range(9), 11, 12, *range(14, 32), 127])


class TagError(ValueError):
    """The text is not a tag list, or a tag has an impossible value."""


def parse(text: str) -> dict[str, str]:
    """The tags and their values, in order, without white space around them. Raises TagError."""
    if len(text) > LENGTH_LIMIT:
        raise TagError("the tag list is too long")
    specs = text.split(";")
    if not specs[-1].strip(_SPACE):
        specs.pop()
    if len(specs) > TAG_LIMIT:
        raise TagError("the tag list has too many tags")
    if len(text.encode("latin-1", "replace").translate(None, _CONTROLS)) != len(text):
        raise TagError("the tag list has a control character")
    tags: dict[str, str] = {}
    for spec in specs:
        name, equals, value = spec.partition("=")
        name = name.strip(_SPACE)
        if not equals or (name not in _USUAL and _NAME.fullmatch(name) is None):
            raise TagError(f'"{_shown(spec)}" is not a tag')
        if name in tags:
            raise TagError(f"the tag {name}= is there twice")
        tags[name] = value.strip(_SPACE)
    return tags


def without_space(value: str) -> bytes:
    """The octets of the value, all white space taken out."""
    return b"".join(value.encode("latin-1", "replace").split())


def base64_value(name: str, value: str) -> bytes:
    """The octets of a base64 value, white space anywhere. Raises TagError."""
    text = without_space(value)
    try:
        if not len(text) % 4:
            return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        pass
    raise TagError(f"the tag {name}= is not base64")


def number(name: str, value: str, digits: int = 12) -> int:
    """The number of a value. Raises TagError."""
    if not (value.isascii() and value.isdigit()) or len(value) > digits:
        raise TagError(f'the tag {name}= is no number: "{_shown(value)}"')
    return int(value)


def unquoted(value: str) -> str:
    """A value in DKIM's quoted-printable as it is meant: white space does not count (RFC 6376 section 2.11)."""
    return decoded("".join(value.split()))


def decoded(value: str) -> str:
    """The same where white space counts: notes in keys."""
    return _QUOTED.sub(lambda match: chr(int(match[1], 16)), value)


def words(value: str, separator: str = ":") -> list[str]:
    """The members of a list, without white space around them."""
    return [word.strip(_SPACE) for word in value.split(separator)]


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text.strip(_SPACE)[:40])

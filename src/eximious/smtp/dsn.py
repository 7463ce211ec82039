"""Delivery status notifications in the SMTP dialogue (RFC 3461): flags, and the encoding of values."""

from __future__ import annotations

import re
from typing import Final

# Bits of `Recipient.dsn_flags`, as spool files have them.
SUCCESS: Final = 1
FAILURE: Final = 2
DELAY: Final = 4
NEVER: Final = 8

# Values of `Message.dsn_return`.
RETURN_FULL: Final = 1
RETURN_HEADERS: Final = 2

_NOTIFY: Final = {"SUCCESS": SUCCESS, "FAILURE": FAILURE, "DELAY": DELAY}
_RETURN: Final = {"FULL": RETURN_FULL, "HDRS": RETURN_HEADERS}
_XCHAR: Final = re.compile(r"[^!-*,-<>-~]")
_XTEXT: Final = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEX: Final = re.compile(r"\+([0-9A-F]{2})")


def parse_notify(value: str) -> int:
    """The flags in a NOTIFY parameter. Raises ValueError."""
    words = value.upper().split(",")
    if words == ["NEVER"]:
        return NEVER
    flags = 0
    for word in words:
        if word not in _NOTIFY:
            raise ValueError(f"bad NOTIFY value: {value}")
        flags |= _NOTIFY[word]
    return flags


def format_notify(flags: int) -> str:
    """The NOTIFY parameter's value for flags; "" for none."""
    if flags & NEVER:
        return "NEVER"
    return ",".join(word for word, bit in _NOTIFY.items() if flags & bit)


def parse_return(value: str) -> int:
    """What a RET parameter asks for. Raises ValueError."""
    try:
        return _RETURN[value.upper()]
    except KeyError:
        raise ValueError(f"bad RET value: {value}") from None


def format_return(value: int) -> str:
    """The RET parameter's value; "" for none."""
    return {RETURN_FULL: "FULL", RETURN_HEADERS: "HDRS"}.get(value, "")


def encode_xtext(text: str) -> str:
    """Octets in str, as xtext (RFC 3461 section 4)."""
    return _XCHAR.sub(lambda match: f"+{ord(match[0]) & 255:02X}", text)


def decode_xtext(text: str) -> str:
    """What xtext stands for, octets in str. Raises ValueError if it is not xtext."""
    if not _XTEXT.fullmatch(text):
        raise ValueError("not xtext")
    return _HEX.sub(lambda match: chr(int(match[1], 16)), text)

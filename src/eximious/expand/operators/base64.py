"""Base 64."""

from __future__ import annotations

import binascii

from eximious.errors import ExpandError
from eximious.expand.operator import operator

_NO_SPACE = dict.fromkeys(map(ord, " \t\n\r\f\v"))


def _of_octets(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode("ascii")


@operator("base64", "str2b64", of_certificates=_of_octets)
def base64(text: str) -> str:
    """The text in base 64."""
    return _of_octets(text.encode("latin-1"))


@operator("base64d")
def base64d(text: str) -> str:
    """The text that base 64 stands for."""
    packed = text.translate(_NO_SPACE)
    try:
        if packed.endswith("==="):
            raise binascii.Error
        return binascii.a2b_base64(packed.encode("latin-1"), strict_mode=True).decode("latin-1")
    except binascii.Error:
        raise ExpandError(f'string "{text}" is not well-formed for "base64d" operator') from None


@operator("hex2b64")
def hex2b64(text: str) -> str:
    """Hexadecimal digits, two an octet, in base 64."""
    for digit in text:
        if digit not in "0123456789abcdefABCDEF":
            raise ExpandError(f'"{text}" is not a hex string')
    if len(text) % 2:
        raise ExpandError(f'"{text}" contains an odd number of characters')
    return binascii.b2a_base64(bytes.fromhex(text), newline=False).decode("ascii")

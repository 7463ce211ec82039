"""Taking addresses apart."""

from __future__ import annotations

from eximious.address.header_list import parse_list
from eximious.address.parse import AddressError, ParsedAddress, parse
from eximious.errors import ExpandError
from eximious.expand.operator import operator


def _parsed(text: str) -> ParsedAddress | None:
    try:
        return parse(text)
    except AddressError:
        return None


@operator("address")
def address(text: str) -> str:
    """The address proper, without phrase and comments; nothing if the text is not an address."""
    found = _parsed(text)
    return found.address if found else ""


@operator("local_part")
def local_part(text: str) -> str:
    """The local part of an address."""
    found = _parsed(text)
    return found.local_part if found else ""


@operator("domain")
def domain(text: str) -> str:
    """The domain of an address."""
    found = _parsed(text)
    return found.domain if found else ""


@operator("addresses")
def addresses(text: str) -> str:
    """The addresses in the text of a header, as a list; ``>`` and a character before it change the separator."""
    separator = ":"
    text = text.lstrip(" \t\n\r\f\v")
    if text.startswith(">"):
        if len(text) == 1:
            raise ExpandError("output separator missing in expanding ${addresses:>}")
        separator, text = text[1], text[2:]
    found = [item.parsed.address for item in parse_list(text) if item.parsed is not None]
    return separator.join(one.replace(separator, separator * 2) for one in found)

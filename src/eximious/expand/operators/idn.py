"""Internationalised names: UTF-8 and the form that the DNS has (``xn--...``, RFC 5890)."""

from __future__ import annotations

import unicodedata
from typing import Final

from eximious.errors import ExpandError
from eximious.expand.operator import operator

PREFIX: Final = "xn--"
LONGEST_LABEL: Final = 63


def _shown(text: str) -> str:
    return "".join(c if " " <= c <= "~" else f"\\{ord(c):03o}" for c in text)


def _characters(text: str) -> str:
    return text.encode("latin-1").decode("utf-8")


def _octets(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")


@operator("utf8_domain_to_alabel")
def domain_to_alabel(text: str) -> str:
    """Each label of a domain as the DNS has it."""
    try:
        characters = _characters(text)
    except UnicodeDecodeError:
        message = f"error converting utf8 ({_shown(text)}) to alabel: string encoding error"
        raise ExpandError(message) from None
    labels = [_to_alabel(label) for label in characters.replace("\u3002", ".").split(".")]
    if any(len(label) > LONGEST_LABEL for label in labels):
        raise ExpandError(f"error converting utf8 ({_shown(text)}) to alabel: domain label longer than 63 characters")
    return ".".join(labels)


def _to_alabel(label: str) -> str:
    if label.isascii():
        return label
    mapped = unicodedata.normalize("NFC", unicodedata.normalize("NFC", label).lower())
    return mapped if mapped.isascii() else PREFIX + mapped.encode("punycode").decode("ascii")


@operator("utf8_domain_from_alabel")
def domain_from_alabel(text: str) -> str:
    """Each label of a domain in UTF-8."""
    labels = []
    for label in text.split("."):
        if not label.lower().startswith(PREFIX):
            labels.append(label)
            continue
        try:
            labels.append(_octets(label[len(PREFIX) :].encode("ascii").decode("punycode")))
        except UnicodeError:
            message = f"error converting alabel ({_shown(text)}) to utf8: string contains invalid punycode data"
            raise ExpandError(message) from None
    return ".".join(labels)


@operator("utf8_localpart_to_alabel")
def localpart_to_alabel(text: str) -> str:
    """A local part in the style of such names; nothing standardises this."""
    try:
        characters = _characters(text)
    except UnicodeDecodeError:
        message = f"error converting utf8 ({_shown(text)}) to alabel: l_u2a: bad UTF-8 input"
        raise ExpandError(message) from None
    return text if text.isascii() else PREFIX + characters.encode("punycode").decode("ascii")


@operator("utf8_localpart_from_alabel")
def localpart_from_alabel(text: str) -> str:
    """The reverse."""
    if not text.lower().startswith(PREFIX):
        raise ExpandError(f"error converting alabel ({text}) to utf8: bad alabel prefix")
    try:
        return _octets(text[len(PREFIX) :].encode("ascii").decode("punycode"))
    except UnicodeError:
        raise ExpandError(f"error converting alabel ({_shown(text)}) to utf8: Invalid input") from None

"""Octets of one character set as octets of another."""

from __future__ import annotations

import pytest

from eximious.mime.charset import UnknownCharset, convert

CONVERSIONS = [
    ("caf\xe9", "iso-8859-1", "UTF-8", "caf\xc3\xa9"),
    ("caf\xc3\xa9", "utf-8", "ISO-8859-1", "caf\xe9"),
    ("caf\xe9", "iso-8859-1", "", "caf\xe9"),
    ("caf\xe9", "ISO-8859-1", "iso-8859-1", "caf\xe9"),
    ("caf\xe9", "utf-8", "us-ascii", "caf\xe9"),  # it is not UTF-8
    ("\xe2\x82\xac", "utf-8", "iso-8859-1", "\xe2\x82\xac"),  # which has no euro sign
    ("5 \xe2\x82\xac", "utf-8", "iso-8859-1//IGNORE", "5 "),
    ("5 \xe2\x82\xac", "utf-8", "iso-8859-1//translit", "5 EUR"),
    ("\xc3\xa9\xc5\x82\xd7\x9d\xe2\x80\x9c", "utf-8", "ascii//TRANSLIT", 'e??"'),
    ("\xc3\xa9\xd7\x9d", "utf-8", "ascii//TRANSLIT//IGNORE", "e?"),
]


@pytest.mark.parametrize(("octets", "source", "target", "expected"), CONVERSIONS)
def test_conversion(octets: str, source: str, target: str, expected: str) -> None:
    assert convert(octets, source, target) == expected


@pytest.mark.parametrize(
    ("source", "target"), [("klingon", "utf-8"), ("utf-8", "klingon"), ("rot13", "utf-8"), ("utf-8", "idna")]
)
def test_unknown(source: str, target: str) -> None:
    with pytest.raises(UnknownCharset):
        convert("x", source, target)

"""The expected values are what a real Exim 4.98.2 answered."""

from __future__ import annotations

import contextlib
import encodings
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mime.charset import UnknownCharset, codec_for, convert
from eximious.mime.encoded_words import decode, encode

ENCODINGS = [
    ("abc", "abc"),
    ("a b", "a b"),
    ("", ""),
    ("a\xe4b", "=?UTF-8?Q?a=E4b?="),
    ("\xe4\xf6 \xfc", "=?UTF-8?Q?=E4=F6_=FC?="),
    ("a=b\xe4?_", "=?UTF-8?Q?a=3Db=E4=3F=5F?="),
    ("=?abc?=", "=?UTF-8?Q?=3D=3Fabc=3F=3D?="),
    ("\xc3\xa4", "=?UTF-8?Q?=C3=A4?="),
    ("a_b", "=?UTF-8?Q?a=5Fb?="),
    ("a\x01", "=?UTF-8?Q?a=01?="),
]


@pytest.mark.parametrize(("text", "encoded"), ENCODINGS)
def test_encode(text: str, encoded: str) -> None:
    assert encode(text, "UTF-8") == encoded


DECODINGS = [
    ("=?utf-8?q?=C3=A4?=", "\xc3\xa4"),
    ("=?iso-8859-1?q?=E4?=", "\xc3\xa4"),
    ("=?iso-8859-1?Q?=E4?= =?utf-8?B?w6Q=?=", "\xc3\xa4\xc3\xa4"),
    ("a =?iso-8859-1?Q?=E4?= b", "a \xc3\xa4 b"),
    ("a=?iso-8859-1?Q?=E4?=b", "a\xc3\xa4b"),
    ("=?iso-8859-1?Q?a_b?=   =?iso-8859-1?Q?c?=", "a bc"),
    ("=?utf-8?q?x?=\n =?utf-8?q?y?=", "xy"),
    ("=?iso-8859-1?X?a_b?=", "=?iso-8859-1?X?a_b?="),
    ("=?iso-8859-1?Q?a b?=", "=?iso-8859-1?Q?a b?="),
    ("=?iso-8859-1?Q?a=?=", "=?iso-8859-1?Q?a=?="),
    ("=?iso-8859-1?Q?a=zz?=", "=?iso-8859-1?Q?a=zz?="),
    ("=?utf-8?B?w6Q?=", "=?utf-8?B?w6Q?="),
    ("=?utf-8?Q??=", ""),
    ("=?utf-8?Q?a=00b?=", "a?b"),
    ("=?utf-8?Q?" + "a" * 64 + "?=", "=?utf-8?Q?" + "a" * 64 + "?="),
    ("=?utf-8?Q?" + "a" * 63 + "?=", "a" * 63),
    ("=?koi8-r?B?8NLJ18XU?=", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"),
    ("=?utf-8?Q?=E4?=", "\xe4"),  # not what it says it is
    ("=?us-ascii?Q?=E4?=", "\xe4"),
    ("no words", "no words"),
]


@pytest.mark.parametrize(("text", "decoded"), DECODINGS)
def test_decode(text: str, decoded: str) -> None:
    assert decode(text, "UTF-8", True) == decoded


def test_long_words_where_they_are_allowed() -> None:
    assert decode("=?utf-8?Q?" + "a" * 64 + "?=", "UTF-8", False) == "a" * 64


def test_without_conversion() -> None:
    assert decode("=?iso-8859-1?Q?=E4?=", "", True) == "\xe4"
    assert decode("=?nonsense?Q?=E4?=", "", True) == "\xe4"


@pytest.mark.parametrize(
    "name", ["nonsense", "punycode", "idna", "unicode_escape", "rot13", "base64", "undefined", "a\0b", ""]
)
def test_no_character_sets(name: str) -> None:
    with pytest.raises(UnknownCharset) as caught:
        decode(f"=?{name}?Q?=E4?=", "UTF-8", True)
    assert (caught.value.source, caught.value.target) == (name, "UTF-8")
    with pytest.raises(UnknownCharset):
        convert("x", "UTF-8", name or "x")


def test_names_that_strangers_make_up_are_not_remembered() -> None:
    before = len(encodings._cache)
    for number in range(100):
        assert codec_for(f"made-up-{number}") is None
    assert len(encodings._cache) == before


@pytest.mark.parametrize(
    "name", ["UTF-8", "utf8", "ISO-8859-15", "iso8859-1", "windows-1252", "CP1251", "koi8-u", "gb2312", "ISO-2022-JP",
             "shift_jis", "big5", "EUC-KR", "us-ascii", "macintosh", "utf-16"]
)  # fmt: skip
def test_character_sets(name: str) -> None:
    codec = codec_for(name)
    assert codec is not None
    "abc".encode(codec)


@given(text=st.text(st.characters(max_codepoint=255), max_size=200))
def test_round_trip(text: str) -> None:
    encoded = encode(text, "x-any")
    assert encoded.isascii()
    assert all(len(word) <= 85 for word in encoded.split(" ")) or encoded == text
    if encoded != text:
        assert decode(encoded, "x-any", False) == text.replace("\0", "?")


@given(
    text=st.lists(st.sampled_from(["=?", "?=", "?", "q", "b", "utf-8", " ", "=", "41", "_", "\n", "w6Q="])).map("".join)
)
def test_whatever_comes(text: str) -> None:
    with contextlib.suppress(UnknownCharset):
        decode(text, "UTF-8", False)


@pytest.mark.parametrize(
    "text", ["=?" * 200_000, "=?a?q?" * 100_000, "=?a?q?b?= " * 50_000, "=?utf-8?q?" + "=41" * 300_000 + "?="]
)
def test_long_input_takes_linear_time(text: str) -> None:
    before = time.process_time()
    with contextlib.suppress(UnknownCharset):
        decode(text, "UTF-8", False)
    assert time.process_time() - before < 2

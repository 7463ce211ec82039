from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth import taglist
from eximious.mailauth.taglist import TagError


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("a=1", {"a": "1"}),
        (" a = 1 ; b=2;", {"a": "1", "b": "2"}),
        ("a=1;\r\n\tb= 2\r\n 3 ;\r\n", {"a": "1", "b": "2\r\n 3"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=", {"a": ""}),
        ("A=1; a=2", {"A": "1", "a": "2"}),
        ("", {}),
        ("a=1;;b=2", None),
        ("a=1;;", None),
        ("a", None),
        ("=1", None),
        ("a=1; a=2", None),
        ("1a=1", None),
        ("a-b=1", None),
        ("a=\0", None),
        ("a=1;" * 1000, None),
        ("a=" + "1" * 200_000, None),
    ],
)
def test_parse(text: str, tags: dict[str, str] | None) -> None:
    if tags is None:
        with pytest.raises(TagError):
            taglist.parse(text)
    else:
        assert taglist.parse(text) == tags


@pytest.mark.parametrize(("value", "data"), [("QUJD", b"ABC"), ("Q U\r\n\tJD", b"ABC"), ("", b""), ("QUI=", b"AB")])
def test_base64(value: str, data: bytes) -> None:
    assert taglist.base64_value("b", value) == data


@pytest.mark.parametrize("value", ["Q", "QUJD=", "Q*JD", "QUJ\xa0D", "=QUJD", "QUI=QUI="])
def test_no_base64(value: str) -> None:
    with pytest.raises(TagError):
        taglist.base64_value("b", value)


@pytest.mark.parametrize("value", ["", "-1", "1.5", "x", "1" * 20, "٣"])
def test_no_number(value: str) -> None:
    with pytest.raises(TagError):
        taglist.number("t", value)


@given(st.text(max_size=100))
def test_anything(text: str) -> None:
    try:
        taglist.parse(text)
    except TagError:
        return


@pytest.mark.parametrize(
    ("text", "plain"), [("a=3Db", "a=b"), ("a =\r\n 4", "a=4"), ("=C3=A9", "\xc3\xa9"), ("=3", "=3")]
)
def test_quoted_printable(text: str, plain: str) -> None:
    assert taglist.unquoted(text) == plain
    assert taglist.decoded("a b=3D") == "a b="

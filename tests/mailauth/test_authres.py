from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.authres import (
    AuthenticationResults,
    AuthresError,
    MethodResult,
    Property,
    parse,
    parse_arc,
)

FIELDS = [
    ("example.org 1; none", AuthenticationResults("example.org")),
    ("example.org; none", AuthenticationResults("example.org")),
    ("example.org", AuthenticationResults("example.org")),
    (
        "example.com;\r\n spf=pass smtp.mailfrom=example.net",
        AuthenticationResults(
            "example.com", (MethodResult("spf", "pass", (Property("smtp", "mailfrom", "example.net"),)),)
        ),
    ),
    (
        "example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=Pass smtp.mailfrom=example.net;",
        AuthenticationResults(
            "example.com",
            (
                MethodResult("auth", "pass", (Property("smtp", "auth", "sender@example.net"),), comment="cram-md5"),
                MethodResult("spf", "pass", (Property("smtp", "mailfrom", "example.net"),)),
            ),
        ),
    ),
    (
        "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail\n"
        " policy (A dot can go here) . (like that) expired (this surprised me) = (as I wasn't expecting it) 1362471462",
        AuthenticationResults(
            "foo.example.net",
            (
                MethodResult(
                    "dkim",
                    "fail",
                    (Property("policy", "expired", "1362471462"),),
                    comment="Because I like it One yay wait for it A dot can go here like that this surprised me "
                    "as I wasn't expecting it",
                ),
            ),
        ),
    ),
    (
        'mx; dkim=fail reason="bad \\"signature\\"; really" header.i=@example.org header.b=oINEO8/g',
        AuthenticationResults(
            "mx",
            (
                MethodResult(
                    "dkim",
                    "fail",
                    (Property("header", "i", "@example.org"), Property("header", "b", "oINEO8/g")),
                    reason='bad "signature"; really',
                ),
            ),
        ),
    ),
    (
        'mx; spf=pass smtp.mailfrom="a b"@example.org',
        AuthenticationResults(
            "mx", (MethodResult("spf", "pass", (Property("smtp", "mailfrom", '"a b"@example.org'),)),)
        ),
    ),
    ("mx; iprev/2=pass", AuthenticationResults("mx", (MethodResult("iprev", "pass", version=2),))),
    (
        "mx 2; spf=none smtp.mailfrom=",
        AuthenticationResults("mx", (MethodResult("spf", "none", (Property("smtp", "mailfrom", ""),)),), 2),
    ),
]


@pytest.mark.parametrize(("text", "expected"), FIELDS)
def test_parse(text: str, expected: AuthenticationResults) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(("_text", "field"), FIELDS)
def test_what_is_made_can_be_read(_text: str, field: AuthenticationResults) -> None:
    assert parse(str(field)) == field
    assert parse(field.to_text()) == field


@pytest.mark.parametrize(
    "text",
    [
        "",
        "; spf=pass",
        "mx; spf",
        "mx; spf=",
        "mx; =pass",
        "mx; spf=pass smtp",
        "mx; spf=pass smtp.mailfrom",
        "mx; spf=pass smtp.=x",
        "mx; spf=pass (never closed",
        "mx; spf=pass " + "(" * 30 + ")" * 30,
        "mx spf=pass",
        "mx" + "; a=b" * 200,
        "x" * 200_000,
    ],
)
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(AuthresError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "instance"), [("i=1; mx; spf=pass", 1), (" i = 12 ;mx;none", 12), ("mx; spf=pass", None), ("i=; mx", None)]
)
def test_parse_arc(text: str, instance: int | None) -> None:
    if instance is None:
        with pytest.raises(AuthresError):
            parse_arc(text)
    else:
        assert parse_arc(text)[0] == instance


def test_first_of_a_method() -> None:
    field = parse("mx; dkim=pass header.d=a; dkim=fail header.d=b")
    assert field.result("dkim") == MethodResult("dkim", "pass", (Property("header", "d", "a"),))
    assert field.result("spf") is None
    assert field.results[0].value("header", "s") is None


def test_a_value_cannot_break_out() -> None:
    field = AuthenticationResults(
        "mx",
        (MethodResult("spf", "fail", (Property("smtp", "mailfrom", "x; dkim=pass\r\nSubject: y"),), comment="a) b"),),
    )
    text = str(field)
    assert "\r\n" not in text
    assert [one.method for one in parse(text).results] == ["spf"]
    assert parse(text).results[0].comment == "a) b"


@given(st.text(max_size=200))
def test_anything(text: str) -> None:
    for one in (text, f"mx; {text}", f"mx; spf=pass {text}"):
        try:
            field = parse(one)
        except AuthresError:
            continue
        parse(str(field))

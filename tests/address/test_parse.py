"""The expected values are what a real Exim 4.98.2 made of the same texts (MAIL FROM, and ${address:...})."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.address.parse import (
    LENGTH_LIMIT,
    SENDER,
    AddressError,
    Rules,
    domain_position,
    is_qualified,
    parse,
    parse_in_group,
    split,
)

GOOD = [
    ("a@b.example", "a@b.example"),
    ("<a@b.example>", "a@b.example"),
    (" < a@b.example >", "a@b.example"),
    ("<a @ b.example>", "a@b.example"),
    ("<a . b@c . d>", "a.b@c.d"),
    ("<.a@b.c>", ".a@b.c"),
    ("<a.@b.c>", "a.@b.c"),
    ("<a..b@b.c>", "a..b@b.c"),
    (".", "."),
    ("..@b.c", "..@b.c"),
    ("<...@b>", "...@b"),
    ("foo bar <a@b.c>", "a@b.c"),
    ('foo "bar baz" <a@b.c>', "a@b.c"),
    ('"foo" bar <a@b.c>', "a@b.c"),
    ("foo. bar <a@b.c>", "a@b.c"),
    ("foo.bar <a@b.c>", "a@b.c"),
    ("foo (x) <a@b.c> (y)", "a@b.c"),
    ("(x) foo <a@b.c>", "a@b.c"),
    ("(x(y)z) a@b.c (foo)", "a@b.c"),
    ("(x\\)y) a@b.c", "a@b.c"),
    ("a@b.c (x", "a@b.c"),
    ("a(x)@(y)b.c(z)", "a@b.c"),
    ("a.(x)b@b.(y)c", "a.b@b.c"),
    ('"a b"@c.d', '"a b"@c.d'),
    ('"a\\"b"@c.d', '"a\\"b"@c.d'),
    ('"a b".c@d', '"a b".c@d'),
    ('a."b c"@d', 'a."b c"@d'),
    ('""@d', '""@d'),
    ("a", "a"),
    ("<@b:a@c>", "a@c"),
    ("<@b,@c:a@d>", "a@d"),
    ("<@b,:a@d>", "a@d"),
    ("@b:a@c", "a@c"),
    ("@b,@c:a@d", "a@d"),
    ("<>", ""),
    (" <> ", ""),
    ("<a@b> (x)", "a@b"),
    ("<a@b>(x)", "a@b"),
    ("a@b-", "a@b-"),
    ("a@b-.c", "a@b-.c"),
    ("a@1", "a@1"),
    ("a@1.2.3.4", "a@1.2.3.4"),
    ("a@[1.2.3.4]", "a@[1.2.3.4]"),
    ("a@[IPv6:::1]", "a@[IPv6:::1]"),
    ("a@[IPv6:xx]", "a@[IPv6:xx]"),
    ("a@[]", "a@[]"),
    ("a@[foo]", "a@[foo]"),
    ("a%b@c", "a%b@c"),
    ("a!b@c", "a!b@c"),
    ("a!b!c", "a!b!c"),
    ("c!a@b", "c!a@b"),
    ("a/b@c", "a/b@c"),
    ("a=b@c", "a=b@c"),
    ("a+b@c", "a+b@c"),
    ("a-b@c", "a-b@c"),
    ("a_b@c", "a_b@c"),
    ("a$b@c", "a$b@c"),
    ("a'b@c", "a'b@c"),
    ("a`b@c", "a`b@c"),
    ("a{b}@c", "a{b}@c"),
    ("a|b@c", "a|b@c"),
    ("a~b@c", "a~b@c"),
    ("a^b@c", "a^b@c"),
    ("a*b@c", "a*b@c"),
    ("a?b@c", "a?b@c"),
    ("a&b@c", "a&b@c"),
    ("a#b@c", "a#b@c"),
    ("#a@c", "#a@c"),
    ("|a@c", "|a@c"),
    ("/a@c", "/a@c"),
    ("\\a@c", "\\a@c"),
    ("a\\@b@c", "a\\@b@c"),
    ("a\\ b@c", "a\\ b@c"),
    ("a\\", "a\\"),
    ("a\\@b", "a\\@b"),
    ("a(b@c", "a"),
    ("Ã¤@c", "Ã¤@c"),
    ("Ã¤ Ã¶ <a@b>", "a@b"),
    ('foo "bar" baz <a@b>', "a@b"),
    ("foo.@bar", "foo.@bar"),
    ("foo <@x:a@b>", "a@b"),
    ("Mr. J. Smith <a@b>", "a@b"),
    ("J. Smith <a@b>", "a@b"),
    ("O'Reilly <a@b>", "a@b"),
    ("a.b c.d <x@y>", "x@y"),
    ("..foo <x@y>", "x@y"),
    (". <x@y>", "x@y"),
    ("foo . <x@y>", "x@y"),
    ("a (b) c (d) <x@y>", "x@y"),
    ("=?utf-8?q?x?= <a@b>", "a@b"),
    ("=?utf-8?q?x?=@b", "=?utf-8?q?x?=@b"),
    ('"=?utf-8?q?x?="@b', '"=?utf-8?q?x?="@b'),
    ('a\\"b@c', 'a\\"b@c'),
    ('"a\\b"@c', '"a\\b"@c'),
    ('"a\\\\b"@c', '"a\\\\b"@c'),
    ('"a@b"@c', '"a@b"@c'),
    ('"a@b"', '"a@b"'),
    ('<"a@b">', '"a@b"'),
    ('"a@b" <c@d>', "c@d"),
    ('<"a b"@c>', '"a b"@c'),
    ('< "a" . "b" @ c >', '"a"."b"@c'),
    ("<a@(x)b>", "a@b"),
    ("<(x)a@b>", "a@b"),
    ("<a@b(x)>", "a@b"),
    ("(a)b@c", "b@c"),
    ("(a)(b)c@d", "c@d"),
    ("a(b)", "a"),
    ("a@b\t", "a@b"),
    ("\ta@b", "a@b"),
    ("a@b  .c", "a@b.c"),
    ("a@b. c", "a@b.c"),
    ("a@ b", "a@b"),
    ("a @b", "a@b"),
    ("a. b@c", "a.b@c"),
    ("a .b@c", "a.b@c"),
    ("<a. b>", "a.b"),
]

BAD = [
    ("foo@bar <a@b.c>", "malformed address: <a@b.c> may not follow foo@bar "),
    ("foo: bar <a@b.c>", 'missing or malformed local part (expected word or "<")'),
    ("foo, bar <a@b.c>", 'missing or malformed local part (expected word or "<")'),
    ("foo; <a@b.c>", "malformed address: ; <a@b.c> may not follow foo"),
    ("foo [x] <a@b.c>", 'missing or malformed local part (expected word or "<")'),
    ("(x a@b.c", "empty address"),
    ("(x)", "empty address"),
    ('"a b" c@d', 'missing or malformed local part (expected word or "<")'),
    ('a"b"@d', 'missing or malformed local part (expected word or "<")'),
    ('"a"b@d', 'missing or malformed local part (expected word or "<")'),
    ('"a', "unmatched doublequote in local part"),
    ('"a\\', "unmatched doublequote in local part"),
    ('"a\\"', "unmatched doublequote in local part"),
    ('"@d', "unmatched doublequote in local part"),
    ("a b@c.d", 'missing or malformed local part (expected word or "<")'),
    ("a b", 'missing or malformed local part (expected word or "<")'),
    ("a@", "domain missing or malformed"),
    ("@", "domain missing or malformed"),
    ("@b", "no local part"),
    ("<@b>", "no local part"),
    ("<@b:>", "missing or malformed local part"),
    ("<@b:a>", "domain missing in source-routed address"),
    ("<@b,c:a@d>", "colon expected after route list"),
    ("<@b,@c>", "colon expected after route list"),
    ("<@b,@c a@d>", "colon expected after route list"),
    ("<@b:<a@c>>", "missing or malformed local part"),
    ("<> x", "malformed address: x may not follow <> "),
    ("<", "missing or malformed local part"),
    (">", 'missing or malformed local part (expected word or "<")'),
    ("<<>>", "missing or malformed local part"),
    ("<<a@b>>", "missing or malformed local part"),
    ("<a@b", "'>' missing at end of address"),
    ("a@b>", "malformed address: > may not follow a@b"),
    ("<a@b>>", "malformed address: > may not follow <a@b>"),
    ("<a@b> x", "malformed address: x may not follow <a@b> "),
    ("<a@b>x", "malformed address: x may not follow <a@b>"),
    ('<a@b> "x"', 'malformed address: "x" may not follow <a@b> '),
    ("a@b c", "malformed address: c may not follow a@b "),
    ("a@b, c@d", "malformed address: , c@d may not follow a@b"),
    ("a@b,", "malformed address: , may not follow a@b"),
    ("a@b;", "malformed address: ; may not follow a@b"),
    (",", 'missing or malformed local part (expected word or "<")'),
    (";", "empty address"),
    (":", 'missing or malformed local part (expected word or "<")'),
    (":a", 'missing or malformed local part (expected word or "<")'),
    ("a:", 'missing or malformed local part (expected word or "<")'),
    ("a:b@c", 'missing or malformed local part (expected word or "<")'),
    ("a: b@c;", 'missing or malformed local part (expected word or "<")'),
    ("a: b@c", 'missing or malformed local part (expected word or "<")'),
    ("a: b@c, d@e;", 'missing or malformed local part (expected word or "<")'),
    ("a:;", 'missing or malformed local part (expected word or "<")'),
    ("undisclosed:;", 'missing or malformed local part (expected word or "<")'),
    ("a@b@c", "malformed address: @c may not follow a@b"),
    ("a@b.", "domain missing or malformed"),
    ("a@.b", "domain missing or malformed"),
    ("a@b..c", "domain missing or malformed"),
    ("a@-b", "domain missing or malformed"),
    ("a@b_c", "malformed address: _c may not follow a@b"),
    ("a@_b", "domain missing or malformed"),
    ("a@b.-c", "domain missing or malformed"),
    ("a@[", "malformed domain literal"),
    ("a@[1.2.3.4", "malformed domain literal"),
    ("a@[1.2.3.4]x", "malformed address: x may not follow a@[1.2.3.4]"),
    ("a@[ 1.2.3.4 ]", "malformed domain literal"),
    ("a@[foo\\]bar]", "malformed domain literal"),
    ("a@#1", "domain missing or malformed"),
    ("a@b#c", "malformed address: #c may not follow a@b"),
    ("a@b%c", "malformed address: %c may not follow a@b"),
    (":a@c", 'missing or malformed local part (expected word or "<")'),
    ("a;b@c", "malformed address: ;b@c may not follow a"),
    ("a,b@c", 'missing or malformed local part (expected word or "<")'),
    ("a)b@c", 'missing or malformed local part (expected word or "<")'),
    ("a<b@c", "'>' missing at end of address"),
    ("a>b@c", 'missing or malformed local part (expected word or "<")'),
    ("a[b@c", 'missing or malformed local part (expected word or "<")'),
    ("a]b@c", 'missing or malformed local part (expected word or "<")'),
    ("[a]@c", 'missing or malformed local part (expected word or "<")'),
    ("a@Ã¤.b", "domain missing or malformed"),
    ("a@b.Ã¤", "domain missing or malformed"),
    ("a@b.c.", "domain missing or malformed"),
    ("a@b.c..", "domain missing or malformed"),
    ("<a@b.c.>", "domain missing or malformed"),
    ('"foo <a@b.c>', "unmatched doublequote in local part"),
    ('foo" <a@b.c>', 'unmatched doublequote in local part (expected word or "<")'),
    ('fo"o <a@b.c>', 'unmatched doublequote in local part (expected word or "<")'),
    ('"foo"@bar <a@b>', 'malformed address: <a@b> may not follow "foo"@bar '),
    ("foo <a@b> <c@d>", "malformed address: <c@d> may not follow foo <a@b> "),
    ("foo <a@b>, c@d", "malformed address: , c@d may not follow foo <a@b>"),
    ("foo @x:a@b", "malformed address: :a@b may not follow foo @x"),
    ("a b c", 'missing or malformed local part (expected word or "<")'),
    ("foo ., <x@y>", 'missing or malformed local part (expected word or "<")'),
    ("<a@b(x>", "'>' missing at end of address"),
    ("a@(b)", "domain missing or malformed"),
    ("(a)@b", "no local part"),
    ("<a b>", '"@" or "." expected after "a"'),
]


@pytest.mark.parametrize(("text", "address"), GOOD)
def test_address(text: str, address: str) -> None:
    assert parse(text, SENDER).address == address


@pytest.mark.parametrize(("text", "complaint"), BAD)
def test_complaint(text: str, complaint: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse(text, SENDER)
    assert str(caught.value) == complaint


WITH_RULES = [
    ("<>", Rules(), AddressError("missing or malformed local part")),
    ("foo <>", Rules(), AddressError("missing or malformed local part")),
    ("foo <>", SENDER, ""),
    ("a@b.c.", Rules(strip_trailing_dot=True), "a@b.c"),
    ("<a@b.c. >", Rules(strip_trailing_dot=True), "a@b.c"),
    ("a@[1.2.3.4]", Rules(allow_domain_literals=False), AddressError("domain literals not allowed")),
    ("a@[", Rules(allow_domain_literals=False), AddressError("domain literals not allowed")),
    ("a@\xc3\xa4.b", Rules(allow_utf8_domains=True), "a@\xc3\xa4.b"),
    ("a@\xc3\xa4.b", Rules(smtp_utf8=True), "a@\xc3\xa4.b"),
    ("\xc3\xa4@b", Rules(smtp_utf8=True), "\xc3\xa4@b"),
    ("\xff@b", Rules(smtp_utf8=True), AddressError("invalid UTF-8 byte sequence")),
    ("x <\xff@b>", Rules(smtp_utf8=True), AddressError("invalid UTF-8 byte sequence")),
    ("a@b\xff", Rules(smtp_utf8=True), AddressError("invalid UTF-8 byte sequence")),
    ("\xff@b", Rules(), "\xff@b"),
]


@pytest.mark.parametrize(("text", "rules", "expected"), WITH_RULES)
def test_rules(text: str, rules: Rules, expected: str | AddressError) -> None:
    if isinstance(expected, AddressError):
        with pytest.raises(AddressError) as caught:
            parse(text, rules)
        assert str(caught.value) == str(expected)
    else:
        assert parse(text, rules).address == expected


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a@b", "a@b"),
        ("<a@b>", "a@b"),
        ("Foo Bar <a@b>", "a@b"),
        ("Foo < (x) a @ (y) b (z) > (c)", "a @ (y) b (z)"),
        ("x <@r,@s:a@b>", "a@b"),
        ("(x) a@b (y)", "a@b"),
        ("x <>", ""),
    ],
)
def test_where_the_address_stands(text: str, where: str) -> None:
    parsed = parse(text, SENDER)
    assert text[parsed.start : parsed.end] == where


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("a@b", ("a", "b")),
        ("a", ("a", "")),
        ('"a@b"', ('"a@b"', "")),
        ('"a@b"@c', ('"a@b"', "c")),
        ("a\\@b", ("a\\@b", "")),
        ("a\\\\@b", ("a\\\\", "b")),
        ("a\\@b@c", ("a\\@b", "c")),
        ("", ("", "")),
    ],
)
def test_split(address: str, parts: tuple[str, str]) -> None:
    assert split(address) == parts
    assert is_qualified(address) == bool(parts[1])


def test_parsed_address() -> None:
    parsed = parse('x <"a b"@c>')
    assert (parsed.local_part, parsed.domain, repr(parsed)) == ('"a b"', "c", "ParsedAddress('\"a b\"@c')")
    parsed = parse("root")
    assert (parsed.local_part, parsed.domain, parsed.at) == ("root", "", -1)


@pytest.mark.parametrize("text", ["a@b;", "a@b; c@d", "a@b ;,", "<a@b>;", "x <a@b>; y"])
def test_semicolon_ends_an_address_in_a_group(text: str) -> None:
    assert parse_in_group(text).address == "a@b"


@pytest.mark.parametrize(("local", "domain"), [(252, 3), (1, 254)])
def test_length(local: int, domain: int) -> None:
    assert len(parse("a" * local + "@" + "b" * domain).address) == LENGTH_LIMIT
    with pytest.raises(AddressError) as caught:
        parse("a" * local + "@" + "b" * (domain + 1))
    assert str(caught.value).startswith("address is ridiculously long: a")
    assert len(str(caught.value)) < 120


PIECES = st.sampled_from([*'ab.@<>(),;:\\"[] \t\n%!\0\x7f\xe4', "a@b", "<a@b>", "@a:", '"x"'])


@given(text=st.lists(PIECES, max_size=25).map("".join) | st.text(st.characters(max_codepoint=255), max_size=30))
def test_whatever_comes(text: str) -> None:
    try:
        parsed = parse(text, SENDER)
    except AddressError:
        return
    address = parsed.address
    assert len(address) <= LENGTH_LIMIT
    assert "\n" not in address.replace("\\\n", "") or '"' in address
    if address:
        assert parse(address, SENDER).address == address
        assert split(address) == (parsed.local_part, parsed.domain)
        assert domain_position(address) == (parsed.at + 1)


@given(local=st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~.\x80-\xff-]{1,20}", fullmatch=True), name=st.booleans())
def test_short_and_long_way_agree(local: str, name: bool) -> None:
    plain = parse(f"{local}@example.org")
    assert plain.address == parse(f" {local}@example.org (x)").address
    assert plain.address == parse(f"x <{local}@example.org>").address


@pytest.mark.parametrize(
    "text",
    ["(" * 100_000, "()" * 50_000 + "a@b", "a" * 1_000_000, '"' + "\\" * 999_999, "<" * 100_000, "." * 1_000_000,
     "a." * 200_000 + "@b", "a " * 100_000, "@a," * 100_000, "a@" + "b." * 200_000, "\\" * 1_000_000],
    ids=range(11),
)  # fmt: skip
@pytest.mark.slow
def test_cve_2020_28007_to_28016_long_input_takes_linear_time(text: str) -> None:
    before = time.process_time()
    with pytest.raises(AddressError) if text[-3:] != "a@b" else pytest.MonkeyPatch.context():
        parse(text)
    assert time.process_time() - before < 2

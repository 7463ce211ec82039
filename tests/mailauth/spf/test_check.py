"""What the published suite does not ask."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.resolver import Answer, StaticResolver
from eximious.mailauth.spf import (
    LIMITS,
    Limits,
    RecordError,
    Result,
    Verdict,
    check_helo,
    check_host,
    check_mail_from,
    parse,
)

ZONE: dict[str, Any] = {
    "example.org": {"TXT": ["v=spf1 include:a.example.net redirect=b.example.net"], "A": ["192.0.2.1"]},
    "a.example.net": {"TXT": ["v=spf1 include:c.example.net -all"]},
    "b.example.net": {"TXT": ["v=spf1 ip6:2001:db8::/32 -all exp=why.example.net"]},
    "c.example.net": {"TXT": [["v=spf1 ip4:192.0", ".2.0/24 ~all"]]},
    "why.example.net": {"TXT": ["%{c} is not %{o}; ask %{r} (%{S})"]},
    "plain.example": {"TXT": ["v=spf1 -all"]},
    "mx.example": {"TXT": ["v=spf1 a -all"], "A": ["192.0.2.7"]},
    "null.example": {"TXT": ["v=spf1 -all"]},
}


def check(ip: str, sender: str, zone: dict[str, Any] | None = None, **options: Any) -> Verdict:
    resolver = StaticResolver(ZONE if zone is None else zone)
    return asyncio.run(check_mail_from(ip, sender, options.pop("helo", "mx.example"), resolver=resolver, **options))


@pytest.mark.parametrize(
    ("ip", "text"),
    [
        (
            "192.0.2.9",
            "pass: ip4:192.0.2.0/24 of c.example.net, which example.org > a.example.net refers to, matches 192.0.2.9",
        ),
        ("2001:db8::1", "pass: ip6:2001:db8::/32 of b.example.net, which example.org refers to, matches 2001:db8::1"),
        ("198.51.100.1", "fail: -all of b.example.net, which example.org refers to, matches 198.51.100.1"),
        ("::ffff:192.0.2.9", None),
    ],
)
def test_the_verdict_says_who_decided(ip: str, text: str | None) -> None:
    verdict = check(ip, "joe@example.org")
    if text is None:
        assert verdict.result is Result.PASS
    else:
        assert str(verdict) == text


def test_trace() -> None:
    assert [str(step) for step in check("192.0.2.9", "joe@example.org").trace] == [
        "    c.example.net: ip4:192.0.2.0/24: matches",
        "  a.example.net: include:c.example.net: matches",
        "example.org: include:a.example.net: matches",
    ]


def test_explanation() -> None:
    verdict = check("198.51.100.1", "joe@example.org", receiver="me.example")
    assert verdict.explanation == "198.51.100.1 is not example.org; ask me.example (joe%40example.org)"
    assert check("198.51.100.1", "a@plain.example").explanation == ""
    plain = check("198.51.100.1", "a@plain.example", default_explanation="Please%_see %{d}")
    assert plain.explanation == "Please see plain.example"
    assert check("198.51.100.1", "a@plain.example", default_explanation="100%").explanation == "100%"


def test_null_sender() -> None:
    verdict = check("192.0.2.7", "")
    assert (verdict.result, verdict.identity, verdict.sender) == (Result.PASS, "helo", "postmaster@mx.example")
    assert asyncio.run(check_helo("192.0.2.8", "mx.example", resolver=StaticResolver(ZONE))).result is Result.FAIL


def test_sender_without_local_part() -> None:
    assert check("192.0.2.7", "@mx.example").sender == "postmaster@mx.example"


def test_guess() -> None:
    verdict = check("192.0.2.9", "joe@example.org", record="v=spf1 a/24 mx/24 ptr ?all")
    assert (verdict.result, verdict.mechanism) == (Result.PASS, "a/24")
    assert check("192.0.2.9", "joe@example.org", record="v=spf1 nonsense").result is Result.PERMERROR


def test_received_spf() -> None:
    verdict = check("192.0.2.9", "joe@example.org")
    assert verdict.received_spf("me.example") == (
        "pass (me.example: domain of example.org designates 192.0.2.9 as permitted sender) client-ip=192.0.2.9; "
        'envelope-from="joe@example.org"; helo=mx.example; identity=mailfrom; receiver=me.example; '
        'mechanism="ip4:192.0.2.0/24";'
    )


@pytest.mark.parametrize("result", list(Result))
def test_every_result_has_words(result: Result) -> None:
    verdict = Verdict(result, "192.0.2.1", "example.org", "joe (x)@example.org\r\nInjected: yes", problem="a\nb")
    assert result.value in str(verdict)
    assert "\n" not in verdict.received_spf("me.example")


def test_no_address() -> None:
    with pytest.raises(ValueError, match="IP address"):
        check("mail.example", "joe@example.org")


def test_deadline() -> None:
    class Slow:
        async def query(self, name: str, type: str) -> Answer:
            await asyncio.sleep(60)
            raise AssertionError

    verdict = asyncio.run(
        check_host("192.0.2.1", "example.org", "a@example.org", resolver=Slow(), limits=Limits(seconds=0.01))
    )
    assert verdict.result is Result.TEMPERROR
    assert "0.01 seconds" in str(verdict)


BOMBS = [
    # Includes that include: the tree would have 3 ** 10 leaves.
    {
        f"{n}.example": {
            "TXT": [f"v=spf1 include:{n + 1}.example include:{n + 1}.example include:{n + 1}.example -all"]
        }
        for n in range(20)
    },
    {"0.example": {"TXT": ["v=spf1 include:0.example -all"]}},
    {"0.example": {"TXT": ["v=spf1 redirect=0.example"]}},
    {"0.example": {"TXT": ["v=spf1 mx -all"], "MX": [(n, f"mx{n}.example") for n in range(1000)]}},
    {"0.example": {"TXT": ["v=spf1 " + " ".join(f"a:{n}.void.example" for n in range(10)) + " -all"]}},
    {"0.example": {"TXT": ["v=spf1 " + " ".join(f"exists:%{{i}}.{n}.void.example" for n in range(10)) + " -all"]}},
    {
        "0.example": {"TXT": ["v=spf1 " + "ptr " * 11]},
        "1.2.0.192.in-addr.arpa": {"PTR": [f"{n}.example" for n in range(5000)]},
    },
    {"0.example": {"TXT": [b"v=spf1 " + b"a:x.example " * 5400]}},
    {"0.example": {"TXT": [b"v=spf1 " + b"?all " * 13000]}},
    {"0.example": {"TXT": [b"v=spf1 " + b" " * 65000]}},
    {"0.example": {"TXT": [b"v=spf1 include:" + b"%{l}" * 16000 + b".example"]}},
]


@pytest.mark.parametrize("zone", BOMBS)
def test_bombs_end_within_limits(zone: dict[str, Any]) -> None:
    resolver = StaticResolver(zone)
    verdict = asyncio.run(check_mail_from("192.0.2.1", "l" * 1000 + "@0.example", "0.example", resolver=resolver))
    assert verdict.lookups <= LIMITS.lookups + 1
    assert len(resolver.asked) < 200
    assert len(verdict.trace) <= 500


def test_ptr_flood_asks_ten_names() -> None:
    zone = {
        "p.example": {"TXT": ["v=spf1 ptr -all"]},
        "1.2.0.192.in-addr.arpa": {"PTR": [f"{n}.p.example" for n in range(5000)]},
    }
    resolver = StaticResolver(zone)
    asyncio.run(check_mail_from("192.0.2.1", "a@p.example", "x", resolver=resolver))
    assert len(resolver.asked) == 12


def test_a_record_is_parsed_once() -> None:
    resolver = StaticResolver(ZONE)
    answer = asyncio.run(resolver.query("example.org", "TXT"))
    asyncio.run(check_host("192.0.2.9", "example.org", "a@example.org", resolver=resolver))
    first = answer.parsed["spf"]
    asyncio.run(check_host("192.0.2.9", "example.org", "a@example.org", resolver=resolver))
    assert answer.parsed["spf"] is first


@given(st.text(max_size=100))
def test_any_record(text: str) -> None:
    for one in (text, f"v=spf1 {text}", f"v=spf1 exists:{text}", f"v=spf1 exp={text} a:{text}"):
        try:
            parse(one)
        except RecordError:
            continue


LETTERS = list("%{}slodiphvr.-+,/_=019a ")
WORDS = ["128", "ip4:", "ip6:", "include:", "exp=", "::", "example.org", "%{d}", "%{ir}"]


@given(st.lists(st.sampled_from(LETTERS + WORDS), max_size=30))
def test_any_record_is_evaluated(parts: list[str]) -> None:
    zone = {"example.org": {"TXT": ["v=spf1 a " + "".join(parts)]}}
    verdict = check("2001:db8::1", "a.b-c@example.org", zone)
    assert verdict.result in Result


def test_things_show_themselves() -> None:
    record = parse("v=spf1 a -all")
    assert (repr(record), repr(record.directives[0])) == ("Record('v=spf1 a -all')", "Directive('a')")


def test_path_of_errors() -> None:
    zone = {"a.example": {"TXT": ["v=spf1 include:b.example"]}, "b.example": {"TXT": ["v=spf1 a -all"], "A": None}}
    verdict = check("192.0.2.1", "joe@a.example", zone)
    assert (verdict.path, str(verdict)) == (("a.example", "b.example"), "temperror: A of b.example: the table says so")


def test_client_whose_names_cannot_be_asked() -> None:
    zone = {"p.example": {"TXT": ["v=spf1 ptr -all"]}, "1.2.0.192.in-addr.arpa": {"PTR": ["a..p.example"]}}
    assert check("192.0.2.1", "a@p.example", zone).result is Result.FAIL


def test_explanations_of_ones_own() -> None:
    zone = {"a.example": {"TXT": ["v=spf1 -all exp=%{l}..example"]}}
    assert check("192.0.2.1", "joe@a.example", zone, default_explanation="%{i} %{t}%").explanation == "%{i} %{t}%"
    told = check("192.0.2.1", "joe@a.example", zone, default_explanation="%{v} %{c} %{r} %{t}").explanation
    assert re.fullmatch(r"in-addr 192\.0\.2\.1 unknown \d+", told)
    assert check("192.0.2.1", "joe@a.example", zone).explanation == ""


def test_a_trace_has_an_end() -> None:
    zone = {
        "a.example": {
            "TXT": ["v=spf1 " + "?ip4:198.51.100.1 " * 600 + "include:b.example ?a -all"],
            "A": ["192.0.2.1"],
        },
        "b.example": {"TXT": ["v=spf1 -all"]},
    }
    assert len(check("192.0.2.1", "joe@a.example", zone).trace) == 500


@pytest.mark.parametrize(
    "text", ["all:x", "all/8", "ptr/24", "include:", "exists", "a:%{t}", "a:%{d0}", "a:x%%", "a:%{d}a"]
)
def test_faults(text: str) -> None:
    with pytest.raises(RecordError):
        parse(f"v=spf1 {text}")

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from eximious.mailauth.dmarc import Disposition, Method, Policy, Result, SuffixList, Verdict, check, discover
from eximious.mailauth.dmarc.discovery import walk
from eximious.mailauth.resolver import StaticResolver

WALK, LIST = Method.TREE_WALK, Method.SUFFIX_LIST
REPORTS = "rua=mailto:d@example.org; ruf=mailto:f@example.org"


def txt(**records: str | None) -> dict[str, Any]:
    """Records by domain, with ``__`` for dots."""
    return {
        f"_dmarc.{name.replace('__', '.')}": {"TXT": None if text is None else [f"v=DMARC1; {text}"]}
        for name, text in records.items()
    }


def checked(domain: str, zone: dict[str, Any], method: Method = WALK, **options: Any) -> Verdict:
    return asyncio.run(check(domain, resolver=StaticResolver(zone), method=method, **options))


ORG = txt(example__org="p=reject; sp=quarantine; np=none")
ALIGNMENT = [
    # author, record, SPF, DKIM, result
    ("example.org", "p=reject", ("example.org", "pass"), [], Result.PASS),
    ("example.org", "p=reject", ("mail.example.org", "pass"), [], Result.PASS),
    ("example.org", "p=reject; aspf=s", ("mail.example.org", "pass"), [], Result.FAIL),
    ("example.org", "p=reject", ("example.net", "pass"), [], Result.FAIL),
    ("example.org", "p=reject", ("example.org", "softfail"), [], Result.FAIL),
    ("example.org", "p=reject", None, [("Example.ORG", "pass")], Result.PASS),
    ("example.org", "p=reject", None, [("a.example.org", "pass")], Result.PASS),
    ("example.org", "p=reject; adkim=s", None, [("a.example.org", "pass")], Result.FAIL),
    ("example.org", "p=reject", None, [("example.org", "fail"), ("example.net", "pass")], Result.FAIL),
    ("example.org", "p=reject", None, [("notexample.org", "pass")], Result.FAIL),
    ("a.example.org", "p=reject", None, [("b.example.org", "pass")], Result.PASS),
    ("example.org", "p=reject", ("example.org", "temperror"), [], Result.TEMPERROR),
    ("example.org", "p=reject", ("example.net", "temperror"), [], Result.FAIL),
    ("example.org", "p=reject", ("example.org", "temperror"), [("example.org", "pass")], Result.PASS),
    ("example.org", "p=reject; aspf=s", ("a.example.org", "temperror"), [], Result.FAIL),
    ("example.org", "p=reject; adkim=s", ("a.example.org", "temperror"), [], Result.TEMPERROR),
    ("example.org", "p=reject; adkim=s", None, [("a.example.org", "temperror")], Result.FAIL),
    ("example.org", "p=reject; aspf=s", None, [("a.example.org", "temperror")], Result.TEMPERROR),
]


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize(("author", "record", "spf", "dkim", "result"), ALIGNMENT)
def test_alignment(
    author: str, record: str, spf: tuple[str, str] | None, dkim: list[tuple[str, str]], result: Result, method: Method
) -> None:
    verdict = checked(author, txt(example__org=record), method, spf=spf, dkim=dkim)
    assert verdict.result is result, verdict
    assert verdict.result.value in str(verdict)


POLICIES = [
    ("example.org", {}, WALK, Policy.REJECT),
    ("sub.example.org", {"sub.example.org": {"A": ["192.0.2.1"]}}, WALK, Policy.QUARANTINE),
    ("sub.example.org", {}, WALK, Policy.NONE),
    ("sub.example.org", {}, LIST, Policy.QUARANTINE),
    ("sub.example.org", txt(sub__example__org="p=reject"), LIST, Policy.REJECT),
]


@pytest.mark.parametrize(("author", "more", "method", "policy"), POLICIES)
def test_policy(author: str, more: dict[str, Any], method: Method, policy: Policy) -> None:
    assert checked(author, ORG | more, method).policy is policy


@pytest.mark.parametrize(
    ("record", "method", "chance", "disposition", "is_milder"),
    [
        ("p=reject", WALK, 0.99, Disposition.REJECT, False),
        ("p=reject; t=y", WALK, 0.0, Disposition.QUARANTINE, True),
        ("p=quarantine; t=y", WALK, 0.0, Disposition.NONE, True),
        ("p=none; t=y", WALK, 0.0, Disposition.NONE, False),
        ("p=reject; pct=30", WALK, 0.99, Disposition.REJECT, False),
        ("p=reject; pct=30", LIST, 0.29, Disposition.REJECT, False),
        ("p=reject; pct=30", LIST, 0.31, Disposition.QUARANTINE, True),
        ("p=quarantine; pct=0", LIST, 0.0, Disposition.NONE, True),
    ],
)
def test_milder(record: str, method: Method, chance: float, disposition: Disposition, is_milder: bool) -> None:
    verdict = checked("example.org", txt(example__org=record), method, chance=lambda: chance)
    assert (verdict.disposition, verdict.is_sampled_out) == (disposition, is_milder)


NONE = "p=none"
DISCOVERY = [
    ("a.b.example.org", txt(example__org=NONE), WALK, "example.org", "example.org"),
    ("a.b.example.org", txt(b__example__org=NONE, example__org=NONE), WALK, "example.org", "example.org"),
    (
        "a.b.example.org",
        txt(a__b__example__org=NONE, example__org=NONE),
        WALK,
        "a.b.example.org",
        "example.org",
    ),
    (
        "a.b.example.org",
        txt(b__example__org="p=none; psd=n", example__org=NONE),
        WALK,
        "b.example.org",
        "b.example.org",
    ),
    ("a.b.example.org", txt(b__example__org="p=none; psd=y"), WALK, "b.example.org", "a.b.example.org"),
    ("x.a.bank.example", txt(example="p=reject; psd=y"), WALK, "example", "bank.example"),
    ("example", txt(example="p=reject; psd=y"), WALK, "example", "example"),
    ("b.example.org", txt(b__example__org="p=none; psd=y", example__org=NONE), WALK, "b.example.org", "b.example.org"),
    ("a.b.example.org", {}, WALK, "", "a.b.example.org"),
    ("a.b.example.co.uk", txt(example__co__uk=NONE), LIST, "example.co.uk", "example.co.uk"),
    ("a.b.example.co.uk", txt(b__example__co__uk=NONE), LIST, "", "example.co.uk"),
    ("co.uk", txt(co__uk=NONE), LIST, "co.uk", "co.uk"),
]


@pytest.mark.parametrize(("domain", "zone", "method", "record_domain", "organizational"), DISCOVERY)
def test_discovery(domain: str, zone: dict[str, Any], method: Method, record_domain: str, organizational: str) -> None:
    found = asyncio.run(discover(domain, StaticResolver(zone), method=method))
    assert (found.record_domain, found.organizational_domain) == (record_domain, organizational)


def test_two_records_are_none() -> None:
    zone = {"_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none", "other"]}}
    assert checked("example.org", zone).result is Result.NONE
    zone = {"_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject", "other"]}}
    assert checked("example.org", zone).result is Result.FAIL


def test_failing_dns() -> None:
    assert checked("example.org", txt(example__org=None)).result is Result.TEMPERROR
    assert checked("example..org", {}).result is Result.PERMERROR


def test_a_walk_asks_eight_names_at_most() -> None:
    names = walk(".".join("abcdefghijklmnopqrstuvwxyz"))
    assert len(names) == 8
    assert names[1] == "t.u.v.w.x.y.z"
    assert walk("a.b.c") == ["a.b.c", "b.c", "c"]


def test_words() -> None:
    verdict = checked("sub.example.org", ORG, LIST, spf=("example.net", "pass"), dkim=[("example.net", "pass")])
    assert str(verdict) == (
        "fail: example.org wants quarantine; SPF passed for example.net, which is not aligned with sub.example.org; "
        "DKIM passed for example.net, not aligned"
    )
    assert verdict.trace[0] == "sub.example.org: record at example.org, organizational domain example.org"
    passed = checked("example.org", ORG, spf=("example.org", "pass"), dkim=[("example.org", "pass")])
    assert str(passed) == "pass: DKIM of example.org and SPF of example.org are aligned with example.org"


@pytest.mark.parametrize(
    ("fo", "spf", "dkim", "wanted"),
    [
        ("0", "fail", "fail", "dmarc"),
        ("0", "pass", "fail", ""),
        ("1", "pass", "fail", "dmarc"),
        ("1", "pass", "pass", ""),
        ("d", "pass", "fail", "dkim"),
        ("d", "fail", "none", ""),
        ("s", "pass", "fail", ""),
        ("s", "fail", "pass", "spf"),
        ("s:0", "fail", "fail", "dmarc"),
        ("0; psd=y", "fail", "fail", ""),
    ],
)
def test_failure_reports(fo: str, spf: str, dkim: str, wanted: str) -> None:
    zone = txt(example__org=f"p=none; fo={fo}; {REPORTS}")
    verdict = checked("example.org", zone, spf=("example.org", spf), dkim=[("example.org", dkim)])
    assert verdict.reportable_failure == wanted


# Rows in the manner of the list's own published test vectors: what it says about well-known suffixes.
@pytest.mark.parametrize(
    ("domain", "organizational"),
    [
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("com", "com"),
        ("b.c.kobe.jp", "b.c.kobe.jp"),
        ("a.b.c.kobe.jp", "b.c.kobe.jp"),
        ("city.kobe.jp", "city.kobe.jp"),
        ("www.city.kobe.jp", "city.kobe.jp"),
        ("www.www.ck", "www.ck"),
        ("a.b.unlisted-suffix", "b.unlisted-suffix"),
        ("WWW.Example.CO.UK.", "example.co.uk"),
    ],
)
def test_suffix_list(domain: str, organizational: str) -> None:
    assert SuffixList().organizational_domain(domain) == organizational


def test_a_list_of_ones_own(tmp_path: Any) -> None:
    path = tmp_path / "list"
    path.write_text("// comment\nexample\ntest.example\n")
    own = SuffixList(path)
    assert own.organizational_domain("a.b.test.example") == "b.test.example"
    assert own.is_public_suffix("test.example")
    with pytest.raises(OSError, match="missing"):
        SuffixList(tmp_path / "missing").organizational_domain("example.org")

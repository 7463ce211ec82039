"""dnsdb: record types, separators, modifiers."""

from __future__ import annotations

import pytest

from eximious.dns.resolv_conf import ResolvConf
from eximious.dns.resolver import Resolver
from tests.expand.context import CONFIGURATION, answer, make_context

ZONE = """
a.test A 192.0.2.1
a.test A 192.0.2.2
a.test AAAA 2001:db8::1
text.test TXT "first" "second"
text.test TXT "third"
mail.test MX 10 one.test
mail.test MX 20 two.test
_smtp._tcp.s.test SRV 1 2 25 host.test
c.test CNAME a.test
zone.test NS ns1.test
zone.test SOA ns1.test root.zone.test 1 2 3 4 5
1.2.0.192.in-addr.arpa PTR one.test
2.2.0.192.in-addr.arpa PTR two.test
_25._tcp.t.test TLSA 3 1 1 abcd
_client._smtp.y.test SRV 1 2 0 y.test
_client._smtp.n.test SRV 1 1 0 n.test
_client._smtp.u.test SRV 1 3 0 u.test
_client._smtp.no.version.test SRV 2 2 0 no.version.test
_client._smtp.strict.test SRV 1 2 1 strict.test
_client._smtp.1.2.0.192.in-addr.arpa SRV 1 2 0 r.test
_client._smtp.broken.csa.test AGAIN
spf.test SPF "v=spf1" " -all"
broken.test AGAIN
"""

QUERIES = [
    ("a=a.test", "192.0.2.1\n192.0.2.2"),
    ("a = a.test", "192.0.2.1\n192.0.2.2"),
    (">: a=a.test", "192.0.2.1:192.0.2.2"),
    ("> a=a.test", "192.0.2.1 192.0.2.2"),
    ("a+=a.test", "2001:db8::1\n192.0.2.1\n192.0.2.2"),
    ("text.test", "first\nthird"),
    (">X,Y txt=text.test", "firstYsecondXthird"),
    (">X; txt=text.test", "firstsecondXthird"),
    ("mx=mail.test", "10 one.test\n20 two.test"),
    (">|,: mx=mail.test", "10:one.test|20:two.test"),
    ("mxh=mail.test", "one.test\ntwo.test"),
    ("srv=_smtp._tcp.s.test", "1 2 25 host.test"),
    ("cname=c.test", "a.test"),
    ("ns=zone.test", "ns1.test"),
    ("zns=x.y.zone.test", "ns1.test"),
    ("soa=x.zone.test", "ns1.test"),
    (">:, soa=zone.test", "ns1.test root.zone.test 1 2 3 4 5"),
    ("ptr=192.0.2.1", "one.test"),
    ("ptr=192.0.2.1:192.0.2.2", "one.test\ntwo.test"),
    ("ptr=<; 192.0.2.1 ; 192.0.2.2", "one.test\ntwo.test"),
    ("tlsa=_25._tcp.t.test", "3 1 1 abcd"),
    ("csa=y.test", "Y y.test"),
    ("csa=n.test", "N n.test"),
    ("csa=u.test", "? u.test"),
    ("csa=no.version.test", "none"),
    ("csa=a.b.strict.test", "X strict.test"),
    ("csa=a.y.test", "? y.test"),
    ("csa=[192.0.2.1]", "Y r.test"),
    ("csa=192.0.2.1", "Y r.test"),
    ("csa=nothing.test", "none"),
    ("csa=broken.csa.test", 'Failed: lookup of "csa=broken.csa.test" gave DEFER: ""'),
    ("spf=spf.test", "v=spf1 -all"),
    (">X,: spf=spf.test", "v=spf1: -all"),
    ("DEFER_NEVER,A=broken.test", "none"),
    ("dnssec_lax,defer_never , retry_1,a=a.test", "192.0.2.1\n192.0.2.2"),
    ("retry_bogus,a=a.test", 'Failed: lookup of "retry_bogus,a=a.test" gave DEFER: "dnsdb modifier syntax error"'),
    ("retry_1 a=a.test", 'Failed: lookup of "retry_1 a=a.test" gave DEFER: "dnsdb modifier syntax error"'),
    ("retrans_odd,a=a", 'Failed: lookup of "retrans_odd,a=a" gave DEFER: "unsupported dnsdb timeout value"'),
    ("dnssec_odd,a=a", 'Failed: lookup of "dnssec_odd,a=a" gave DEFER: "unsupported dnsdb dnssec behaviour"'),
    ("defer_strict", 'Failed: lookup of "defer_strict" gave DEFER: "dnsdb modifier syntax error"'),
    ("=x", 'Failed: lookup of "=x" gave DEFER: "unsupported DNS record type"'),
    ("a1=x", 'Failed: lookup of "a1=x" gave DEFER: "unsupported DNS record type"'),
    ("> : a=x", 'Failed: lookup of "> : a=x" gave DEFER: "unsupported DNS record type"'),
    (">", "none"),
    ("a=none.test", "none"),
    ("a=none.test:a.test", "192.0.2.1\n192.0.2.2"),
    ("a=broken.test:a.test", "192.0.2.1\n192.0.2.2"),
    ("a=broken.test", 'Failed: lookup of "a=broken.test" gave DEFER: ""'),
    ("defer_never,a=broken.test", "none"),
    ("defer_strict,a=broken.test:a.test", 'Failed: lookup of "defer_strict,a=broken.test:a.test" gave DEFER: ""'),
    ("dnssec_strict,a=a.test", 'Failed: lookup of "dnssec_strict,a=a.test" gave DEFER: ""'),
    ("retrans_1s,retry_2,mxh=mail.test", "one.test\ntwo.test"),
    ("xxx=a.test", 'Failed: lookup of "xxx=a.test" gave DEFER: "unsupported DNS record type"'),
    ("defer_x,a=a.test", 'Failed: lookup of "defer_x,a=a.test" gave DEFER: "unsupported dnsdb defer behaviour"'),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_query(query: str, expected: str) -> None:
    context = make_context(CONFIGURATION, ZONE)
    assert answer(f"${{lookup dnsdb{{{query}}}{{$value}}{{none}}}}", context) == expected


def test_whether_the_answer_was_authenticated_is_known() -> None:
    context = make_context(CONFIGURATION, ZONE)
    assert answer("${lookup dnsdb{a=a.test}{$lookup_dnssec_authenticated}}", context) == "no"
    context.services.dns.secure = True  # type: ignore[attr-defined]
    context.named_list_cache.clear()
    context.services.dns.clear()
    assert answer("${lookup dnsdb{a=a.test}{$lookup_dnssec_authenticated}}", context) == "yes"
    assert answer("${lookup dnsdb{dnssec_never,a=a.test}{$lookup_dnssec_authenticated}}", context) == ""


def test_limits_of_time_are_those_of_the_query() -> None:
    dns = Resolver(ResolvConf())
    other = dns.limited(2.0, 7)
    assert (other.resolv_conf().timeout, other.resolv_conf().attempts) == (2.0, 7)
    assert dns.limited(0.0, 3).resolv_conf().timeout == dns.resolv_conf().timeout
    assert dns.resolv_conf().attempts != 7


def test_answers_are_kept_by_the_resolver_only() -> None:
    context = make_context(CONFIGURATION, ZONE)
    assert answer("${lookup dnsdb{a=a.test}}", context) == "192.0.2.1\n192.0.2.2"
    assert not context.named_list_cache

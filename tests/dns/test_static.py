from __future__ import annotations

import asyncio

from eximious import waiting
from eximious.dns.answer import Answer, Status
from eximious.dns.cache import Cache
from eximious.dns.static import StaticResolver

ZONE = """
; what a test may want
example.org       MX    10 mail.example.org
example.org 60 IN TXT   "v=spf1 -all" ; with a comment
mail.example.org. A     192.0.2.1
mail.example.org  AAAA  2001:DB8::1
www.example.org   CNAME mail.example.org
loop.example.org  CNAME loop.example.org
_s._tcp.example.org SRV 1 2 3 mail.example.org
t.example.org     TLSA  3 1 1 ab cd
example.org       SOA   ns.example.org root.example.org 1 2 3 4 5
null.example.org  MX    0 .
odd.example.org   LOC   here and there
broken.example    AGAIN
worse.example     FAIL
"""


def test_static() -> None:
    resolver = StaticResolver(ZONE)
    assert resolver.mx("example.org").data() == [(10, "mail.example.org")]
    assert resolver.mx("null.example.org").data() == [(0, ".")]
    assert resolver.query("example.org", "TXT").texts() == ["v=spf1 -all"]
    assert resolver.query("example.org", "TXT").ttl == 60
    assert resolver.hosts("www.example.org").data() == ["2001:db8::1", "192.0.2.1"]
    assert resolver.query("_s._tcp.example.org", "SRV").data() == [(1, 2, 3, "mail.example.org")]
    assert resolver.query("t.example.org", "TLSA").data() == [(3, 1, 1, b"\xab\xcd")]
    assert resolver.query("example.org", "SOA").data()[0][2] == 1
    assert resolver.query("odd.example.org", "LOC").data() == [b"here and there"]
    assert resolver.query("loop.example.org", "A").status is Status.NODATA
    assert resolver.query("broken.example", "A").status is Status.AGAIN
    assert resolver.query("worse.example", "A").status is Status.FAIL
    assert resolver.query("nowhere.example", "A").status is Status.NOMATCH
    assert resolver.query("org", "A").status is Status.NODATA  # an empty non-terminal
    assert not resolver.mx("example.org").is_secure
    assert resolver.asked[0] == ("example.org", "MX")


def test_static_on_a_loop() -> None:
    resolver = StaticResolver(ZONE, secure=True)
    answer = asyncio.run(waiting.run(lambda: resolver.hosts("mail.example.org")))
    assert answer.data() == ["2001:db8::1", "192.0.2.1"]
    assert answer.is_secure
    assert repr(answer).startswith("Answer(FOUND, 'mail.example.org', [Record(")


def test_cache_is_bounded() -> None:
    cache = Cache(room=3)
    for number in range(5):
        cache.put((str(number), "A"), Answer(Status.NOMATCH, "", ttl=10), now=0)
    assert len(cache) == 3
    assert cache.get(("1", "A"), 1) is None
    assert cache.get(("4", "A"), 1) is not None
    cache.put(("5", "A"), Answer(Status.NOMATCH, ""), now=0)
    assert cache.get(("5", "A"), 0) is None  # nothing says how long it is good for

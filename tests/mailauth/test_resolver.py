"""Every kind of resolver gives the same answers to the same questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import dns.asyncresolver
import dns.message
import dns.rcode
import dns.resolver
import pytest

from eximious.dns.resolver import Resolver as ProgramAsker
from eximious.mailauth import spf
from eximious.mailauth.program_resolver import ProgramResolver
from eximious.mailauth.resolver import DnspythonResolver, Outcome, Resolver, StaticResolver, is_askable, reverse_name
from eximious.mailauth.zone import read
from tests.dns.server import Server

LARGE = " ".join(f'"{"x" * 250}"' for _ in range(200))
ZONE = f"""
    example.org. TXT "v=spf1 " "a -all"
    example.org. A 192.0.2.1
    example.org. A 192.0.2.2
    example.org. AAAA 2001:db8::1
    example.org. MX 10 mx.example.org.
    alias.example.org. CNAME example.org.
    2.2.0.192.in-addr.arpa. PTR Example.ORG.
    down.example.org. TXT "x"
    _dmarc.example.org. TXT "v=DMARC1; p=none"
    large.example.org. TXT {LARGE}
"""


def failing(query: dns.message.Message, response: dns.message.Message, over_tcp: bool) -> Any:
    """The name server has trouble with one name; large answers need TCP."""
    if query.question[0].name.to_text() == "down.example.org.":
        response.answer.clear()
        response.set_rcode(dns.rcode.SERVFAIL)
    if query.question[0].name.to_text() == "large.example.org." and not over_tcp:
        response.answer.clear()
        response.flags |= dns.flags.TC
    return response


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(ZONE, failing)
    yield server
    server.close()


def dnspython(resolver: dns.resolver.BaseResolver, server: Server) -> Resolver:
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = server.port
    resolver.cache = dns.resolver.LRUCache()
    return DnspythonResolver(resolver, seconds=5)


KINDS: dict[str, Callable[[Server], Resolver]] = {
    "static": lambda _: read(ZONE.replace('down.example.org. TXT "x"', "down.example.org. SERVFAIL")),
    "program": lambda server: ProgramResolver(ProgramAsker(server.conf())),
    "dnspython": lambda server: dnspython(dns.asyncresolver.Resolver(configure=False), server),
    "dnspython, blocking": lambda server: dnspython(dns.resolver.Resolver(configure=False), server),
}
QUESTIONS: list[tuple[str, str, Any]] = [
    ("example.org", "TXT", (b"v=spf1 a -all",)),
    ("EXAMPLE.org.", "TXT", (b"v=spf1 a -all",)),
    ("example.org", "A", ("192.0.2.1", "192.0.2.2")),
    ("example.org", "AAAA", ("2001:db8::1",)),
    ("example.org", "MX", ((10, "mx.example.org"),)),
    ("alias.example.org", "AAAA", ("2001:db8::1",)),
    ("_dmarc.example.org", "TXT", (b"v=DMARC1; p=none",)),
    ("large.example.org", "TXT", (b"x" * 50_000,)),
    ("_dmarc.example.org", "A", Outcome.NODATA),
    ("none.example.org", "A", Outcome.NXDOMAIN),
    ("down.example.org", "TXT", Outcome.FAILED),
    ("a b;c@\xe4.example.org", "A", Outcome.NXDOMAIN),
    ("x" * 64 + ".example.org", "A", Outcome.NXDOMAIN),
    ("a..example.org", "A", Outcome.NXDOMAIN),
    (".".join(["x" * 60] * 5), "A", Outcome.NXDOMAIN),
]


@pytest.mark.parametrize("kind", KINDS)
def test_answers(kind: str, server: Server) -> None:
    async def ask() -> None:
        resolver = KINDS[kind](server)
        for name, type, expected in QUESTIONS:
            answer = await resolver.query(name, type)
            if isinstance(expected, Outcome):
                assert (answer.outcome, answer.data) == (expected, ()), (name, answer.why)
                assert bool(answer.why) is (expected is Outcome.FAILED)
            else:
                assert tuple(sorted(answer.data)) == expected, (name, answer.why)
        [pointer] = (await resolver.query(reverse_name("192.0.2.2"), "PTR")).data
        assert pointer.lower() == "example.org"

    asyncio.run(ask())


@pytest.mark.parametrize("kind", KINDS)
def test_a_check(kind: str, server: Server) -> None:
    async def check() -> spf.Verdict:
        return await spf.check_mail_from("192.0.2.2", "joe@example.org", "mx", resolver=KINDS[kind](server))

    assert str(asyncio.run(check())) == "pass: a of example.org matches 192.0.2.2"


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_from_the_cache_is_the_same_object(kind: str, server: Server) -> None:
    async def ask() -> None:
        resolver = KINDS[kind](server)
        first = await resolver.query("example.org", "TXT")
        assert await resolver.query("example.org", "TXT") is first

    asyncio.run(ask())


def test_nobody_answers() -> None:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = 9
    answer = asyncio.run(DnspythonResolver(resolver, seconds=0.1).query("example.org", "A"))
    assert (answer.outcome, bool(answer.why)) == (Outcome.FAILED, True)


def test_static() -> None:
    resolver = StaticResolver(
        {"a.example": {"CNAME": ["b.example"], "TXT": None}, "b.example": {"CNAME": ["a.example"]}}
    )
    assert asyncio.run(resolver.query("a.example", "A")).why == "CNAMEs in a circle"
    assert asyncio.run(resolver.query("a.example", "TXT")).outcome is Outcome.FAILED
    assert asyncio.run(resolver.query("example", "A")).outcome is Outcome.NODATA
    assert resolver.asked == [("a.example", "A"), ("a.example", "TXT"), ("example", "A")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.b", True), ("a.b.", True), ("", False), (".", False), ("a..b", False), ("a" * 64, False), ("a." * 127, False)],
)
def test_is_askable(name: str, expected: bool) -> None:
    assert is_askable(name) is expected

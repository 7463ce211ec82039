from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest

from eximious import waiting
from eximious.dns.answer import Answer, Status
from eximious.dns.resolv_conf import ResolvConf
from eximious.dns.resolver import _USUAL_PATTERN, Resolver, name_check

from .server import Server

ZONE = """
    example.org. MX 20 b.example.org.
    example.org. MX 10 a.example.org.
    a.example.org. A 192.0.2.1
    a.example.org. AAAA 2001:db8::1
    b.example.org. A 192.0.2.2
    alias.example.org. CNAME a.example.org.
    loop.example.org. CNAME loop.example.org.
    long.example.org. TXT "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    short.test.example. A 192.0.2.9
    other.test.example. TXT "here"
    1.2.0.192.in-addr.arpa. PTR a.example.org.
    _25._tcp.a_b.example.org. TLSA 3 1 0 ab
    example. SOA ns.example. root.example. 1 2 3 4 77
"""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(ZONE)
    yield server
    server.close()


def in_both_ways(question: Callable[[], Any]) -> list[Any]:
    """What comes of it with blocking sockets, and on an event loop."""
    return [question(), asyncio.run(waiting.run(question))]


def test_mx(server: Server) -> None:
    for answer in in_both_ways(lambda: Resolver(server.conf()).mx("example.org")):
        assert answer
        assert answer.data() == [(10, "a.example.org"), (20, "b.example.org")]
        assert answer.is_secure
        assert answer.ttl == 300


def test_hosts(server: Server) -> None:
    for answer in in_both_ways(lambda: Resolver(server.conf()).hosts("a.example.org")):
        assert answer.data() == ["2001:db8::1", "192.0.2.1"]
    for answer in in_both_ways(lambda: Resolver(server.conf()).hosts("b.example.org")):
        assert answer.data() == ["192.0.2.2"]
    for answer in in_both_ways(lambda: Resolver(server.conf()).hosts("none.example.org")):
        assert answer.status is Status.NOMATCH
    for answer in in_both_ways(lambda: Resolver(server.conf()).hosts("example.org")):
        assert answer.status is Status.NODATA


def test_hosts_without_ipv6(server: Server) -> None:
    resolver = Resolver(server.conf())
    assert resolver.hosts("a.example.org", ipv4_only=True).data() == ["192.0.2.1"]
    resolver.ipv4_only = lambda name: name == "a.example.org"
    assert resolver.hosts("a.example.org").data() == ["192.0.2.1"]
    resolver.ipv4_only = None
    assert resolver.hosts("a.example.org").data() == ["2001:db8::1", "192.0.2.1"]
    resolver.ipv6 = False
    assert resolver.hosts("a.example.org").data() == ["192.0.2.1"]


def test_alias(server: Server) -> None:
    for answer in in_both_ways(lambda: Resolver(server.conf()).query("alias.example.org", "A")):
        assert answer.name == "a.example.org"
        assert answer.aliases == ["alias.example.org"]
    assert Resolver(server.conf()).query("alias.example.org", "CNAME").data() == ["a.example.org"]


def test_alias_that_the_server_does_not_follow() -> None:
    def only_first(_: object, response: dns.message.Message, __: bool) -> dns.message.Message:
        del response.answer[1:]
        return response

    zone = "c1.example. CNAME c2.example.\nc2.example. CNAME c3.example.\nc3.example. A 192.0.2.3\n"
    server = Server(zone, only_first)
    resolver = Resolver(server.conf())
    assert resolver.query("c2.example", "A").data() == ["192.0.2.3"]
    assert resolver.query("c1.example", "A").status is Status.NODATA  # dns_cname_loops = 1
    resolver = Resolver(server.conf())
    resolver.cname_limit = 10
    answer = resolver.query("c1.example", "A")
    assert answer.data() == ["192.0.2.3"]
    assert answer.aliases == ["c1.example", "c2.example"]
    server.close()


def test_alias_of_itself() -> None:
    server = Server(change=lambda query, response, _: loop_response(query))
    resolver = Resolver(server.conf())
    resolver.cname_limit = 50
    assert resolver.query("loop.example", "A").status is Status.NODATA
    assert len(server.asked) == 1
    server.close()


def loop_response(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text("loop.example.", 300, "IN", "CNAME", "loop.example."))
    return response


def test_answers_are_kept_as_long_as_they_say(server: Server) -> None:
    now = [0.0]
    resolver = Resolver(server.conf(), clock=lambda: now[0])
    for _ in range(3):
        resolver.query("A.Example.org", "A")
        resolver.query("a.example.org.", "A")
    assert len(server.asked) == 1
    now[0] = 299
    assert resolver.cached("a.example.org", "A")
    now[0] = 300
    assert resolver.cached("a.example.org", "A") is None
    resolver.query("none.example.org", "A")
    resolver.query("none.example.org", "A")
    assert len(server.asked) == 2
    now[0] += 77  # the SOA's minimum
    resolver.query("none.example.org", "A")
    assert len(server.asked) == 3
    resolver.clear()
    resolver.query("none.example.org", "A")
    assert len(server.asked) == 4


def test_equal_questions_share_one_answer(server: Server) -> None:
    resolver = Resolver(server.conf())

    async def ask() -> list[Answer]:
        return await asyncio.gather(*(resolver.query_async("a.example.org", "A") for _ in range(20)))

    assert all(asyncio.run(ask()))
    assert len(server.asked) == 1


RCODES = [
    (dns.rcode.SERVFAIL, Status.AGAIN, "SERVFAIL"),
    (dns.rcode.FORMERR, Status.FAIL, "FORMERR"),
    (dns.rcode.REFUSED, Status.FAIL, "REFUSED"),
    (dns.rcode.NOTIMP, Status.FAIL, "NOTIMP"),
    (dns.rcode.YXDOMAIN, Status.FAIL, "response code 6"),
]


@pytest.mark.parametrize(("rcode", "status", "why"), RCODES)
def test_response_codes(rcode: dns.rcode.Rcode, status: Status, why: str) -> None:
    def change(_: object, response: dns.message.Message, __: bool) -> dns.message.Message:
        response.set_rcode(rcode)
        return response

    server = Server(ZONE, change)
    for answer in in_both_ways(lambda: Resolver(server.conf()).query("a.example.org", "A")):
        assert (answer.status, answer.why, answer.rcode) == (status, why, rcode)
        assert not answer
        assert not answer.is_absent
    for answer in in_both_ways(lambda: Resolver(server.conf()).hosts("a.example.org")):
        assert answer.status is status
    server.close()


def test_truncated_answers_are_asked_for_again_over_tcp() -> None:
    def change(query: dns.message.Message, response: dns.message.Message, over_tcp: bool) -> dns.message.Message:
        if not over_tcp:
            response = dns.message.make_response(query)
            response.flags |= dns.flags.TC
        return response

    server = Server(ZONE, change)
    for answer in in_both_ways(lambda: Resolver(server.conf()).query("long.example.org", "TXT")):
        assert answer.texts() == ["x" * 40]
    assert [over_tcp for _, _, over_tcp in server.asked] == [False, True] * 2
    server.close()


def test_edns_is_left_out_where_it_is_not_understood() -> None:
    def change(query: dns.message.Message, response: dns.message.Message, _: bool) -> dns.message.Message:
        if query.edns >= 0:
            response.set_rcode(dns.rcode.FORMERR)
        return response

    server = Server(ZONE, change)
    resolver = Resolver(server.conf())
    resolver.dnssec_ok = 1
    assert resolver.query("a.example.org", "A").data() == ["192.0.2.1"]
    assert [query.edns for query in server.queries] == [0, -1]
    server.close()


@pytest.mark.parametrize(
    ("use_edns", "dnssec_ok", "expected"), [(-1, -1, -1), (1, -1, 0), (0, -1, -1), (-1, 1, 0), (0, 1, -1)]
)
def test_edns_options(server: Server, use_edns: int, dnssec_ok: int, expected: int) -> None:
    resolver = Resolver(server.conf())
    resolver.use_edns, resolver.dnssec_ok = use_edns, dnssec_ok
    resolver.query("a.example.org", "A")
    assert server.queries[0].edns == expected


@pytest.mark.parametrize(
    "octets", [b"", b"nonsense that is long enough", b"\0" * 12], ids=["empty", "nonsense", "zeros"]
)
def test_nonsense_is_no_answer(octets: bytes) -> None:
    server = Server(ZONE, lambda *_: octets)
    conf = server.conf()
    conf.timeout, conf.attempts = 0.05, 1
    for answer in in_both_ways(lambda: Resolver(conf).query("a.example.org", "A")):
        assert (answer.status, answer.why) == (Status.AGAIN, "timed out")
    server.close()


def test_responses_to_other_questions_do_not_count() -> None:
    def change(query: dns.message.Message, response: dns.message.Message, _: bool) -> bytes:
        other = dns.message.make_query("evil.example", "A", id=query.id)
        return dns.message.make_response(other).to_wire()

    server = Server(ZONE, change)
    conf = server.conf()
    conf.timeout, conf.attempts = 0.05, 1
    for answer in in_both_ways(lambda: Resolver(conf).query("a.example.org", "A")):
        assert answer.status is Status.AGAIN
    conf.use_tcp = True
    for answer in in_both_ways(lambda: Resolver(conf).query("a.example.org", "A")):
        assert (answer.status, answer.why) == (Status.AGAIN, "response to another question")
    server.close()


def test_malformed_response_with_the_right_question() -> None:
    server = Server(ZONE, lambda _, response, __: response.to_wire()[:-2])
    for answer in in_both_ways(lambda: Resolver(server.conf()).query("a.example.org", "A")):
        assert answer.status is Status.AGAIN
        assert answer.why.startswith("malformed response: ")
    server.close()


def test_silence_and_the_next_server(server: Server) -> None:
    deaf = Server(ZONE, lambda *_: None)
    conf = server.conf()
    conf.servers.insert(0, ("127.0.0.1", deaf.port))
    conf.timeout = 0.05
    for answer in in_both_ways(lambda: Resolver(conf).query("a.example.org", "A")):
        assert answer
    conf.servers.pop()
    conf.use_tcp = True
    for answer in in_both_ways(lambda: Resolver(conf).query("a.example.org", "A")):
        assert (answer.status, answer.why) == (Status.AGAIN, "connection closed")
    deaf.close()


def test_an_answer_that_comes_after_the_first_wait_is_not_lost() -> None:
    def change(_: object, response: dns.message.Message, __: bool) -> dns.message.Message:
        time.sleep(0.15)
        return response

    server = Server(ZONE, change)
    for answer in in_both_ways(lambda: Resolver(server.conf()).limited(0.1, 3).query("a.example.org", "A")):
        assert answer.data() == ["192.0.2.1"]
    assert len({query.id for query in server.queries}) <= 2  # one question each way, sent more than once
    server.close()


def test_the_last_wait_ends() -> None:
    deaf = Server(ZONE, lambda *_: None)
    start = time.monotonic()
    for answer in in_both_ways(lambda: Resolver(deaf.conf()).limited(0.02, 3).query("a.example.org", "A")):
        assert (answer.status, answer.why) == (Status.AGAIN, "timed out")
    assert 0.28 <= time.monotonic() - start < 2.0
    assert len(deaf.asked) == 6
    deaf.close()


def test_nobody_there() -> None:
    conf = ResolvConf()
    conf.servers = [("127.0.0.1", 1)]
    for answer in in_both_ways(lambda: Resolver(conf).query("a.example.org", "A")):
        assert answer.status is Status.AGAIN
        assert "refused" in answer.why
    conf.servers = [("not an address", 53)]
    assert Resolver(conf).query("a.example.org", "A").status is Status.AGAIN


def test_tcp_that_does_not_answer() -> None:
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    conf = ResolvConf()
    conf.servers = [("127.0.0.1", listener.getsockname()[1])]
    conf.use_tcp, conf.timeout, conf.attempts = True, 0.05, 1
    for answer in in_both_ways(lambda: Resolver(conf).query("a.example.org", "A")):
        assert (answer.status, answer.why) == (Status.AGAIN, "timed out")
    listener.close()


def test_rotation(server: Server) -> None:
    other = Server(ZONE)
    conf = server.conf()
    conf.servers.append(("127.0.0.1", other.port))
    conf.rotate = True
    resolver = Resolver(conf)
    for number in range(4):
        resolver.query(f"n{number}.example.org", "A")
    assert (len(server.asked), len(other.asked)) == (2, 2)
    other.close()


SEARCHES = [
    ("short", False, False, Status.NOMATCH, ["short."]),
    ("short", True, False, Status.FOUND, ["short.test.example."]),
    ("other", True, False, Status.NODATA, ["other.test.example.", "other."]),
    ("short.", True, True, Status.NOMATCH, ["short."]),
    ("a.b", True, False, Status.NOMATCH, ["a.b."]),
    ("a.b", True, True, Status.NOMATCH, ["a.b.", "a.b.test.example.", "a.b.example."]),
    ("nope", True, True, Status.NOMATCH, ["nope.test.example.", "nope.example.", "nope."]),
]


@pytest.mark.parametrize(("name", "qualify_single", "search_parents", "status", "asked"), SEARCHES)
def test_search(
    server: Server, name: str, qualify_single: bool, search_parents: bool, status: Status, asked: list[str]
) -> None:
    conf = server.conf()
    conf.search = ["test.example", "example"]
    answer = Resolver(conf).query(name, "A", qualify_single=qualify_single, search_parents=search_parents)
    assert answer.status is status
    assert [one for one, _, _ in server.asked] == asked


def test_again_means_nonexist() -> None:
    def change(_: object, response: dns.message.Message, __: bool) -> dns.message.Message:
        response.set_rcode(dns.rcode.SERVFAIL)
        return response

    server = Server(ZONE, change)
    resolver = Resolver(server.conf())
    resolver.again_means_nonexist = lambda name: name.endswith("example.org")
    assert resolver.query("a.example.org", "A").status is Status.NOMATCH
    assert resolver.query("a.example.org", "TLSA").status is Status.AGAIN
    assert resolver.query("a.example.com", "A").status is Status.AGAIN
    server.close()


def test_trust() -> None:
    def authoritative(_: object, response: dns.message.Message, __: bool) -> dns.message.Message:
        response.flags &= ~dns.flags.AD
        response.flags |= dns.flags.AA
        response.authority.append(dns.rrset.from_text("Example.org.", 60, "IN", "NS", "ns.example.org."))
        return response

    server = Server(ZONE, authoritative)
    resolver = Resolver(server.conf())
    assert not resolver.query("a.example.org", "A").is_secure
    resolver = Resolver(server.conf())
    resolver.trust_aa = lambda zone: zone.lower() == "example.org"
    answer = resolver.query("a.example.org", "A")
    assert answer.is_secure
    assert answer.is_authoritative
    server.close()


def test_answers_of_servers_that_are_not_trusted(server: Server) -> None:
    conf = server.conf()
    conf.trust_ad = False
    assert not Resolver(conf).query("a.example.org", "A").is_secure


HYGIENE = [
    ("a.example.org", "A", True),
    ("a_b.example.org", "A", True),
    ("_25._tcp.a.example.org", "TLSA", True),
    ("_25._tcp.a=b.example.org", "TLSA", False),
    ("a-.example.org", "A", False),
    ("_dmarc.example.org", "TXT", True),
    ("0/25.2.0.192.in-addr.arpa", "A", True),
    ("-a.example", "A", False),
    ("a..b", "A", False),
    ("", "A", False),
]


@pytest.mark.parametrize(("name", "kind", "is_asked"), HYGIENE)
@pytest.mark.parametrize("pattern", [_USUAL_PATTERN, "(?:" + _USUAL_PATTERN + ")"])
def test_hygiene(server: Server, name: str, kind: str, is_asked: bool, pattern: str) -> None:
    resolver = Resolver(server.conf())
    resolver.check_name = name_check(pattern)
    assert resolver.query(name, kind).is_absent or is_asked
    assert bool(server.asked) == is_asked


def test_no_hygiene(server: Server) -> None:
    assert name_check("") is None
    resolver = Resolver(server.conf())
    resolver.check_name = name_check(_USUAL_PATTERN)
    assert resolver.query("-a.example.org", "A", check=False).is_absent
    assert len(server.asked) == 1


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example", "a." * 130])
def test_names_that_cannot_be(server: Server, name: str) -> None:
    assert Resolver(server.conf()).query(name, "A").status is Status.NOMATCH
    assert server.asked == []


def test_unknown_type(server: Server) -> None:
    answer = Resolver(server.conf()).query("a.example.org", "XYZ")
    assert (answer.status, answer.why) == (Status.FAIL, "unknown record type XYZ")


def test_any(server: Server) -> None:
    answer = Resolver(server.conf()).query("a.example.org", "ANY")
    assert answer.status is Status.NODATA  # the test server knows no ANY


def test_resolv_conf_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 127.0.0.7\noptions timeout:9\n")
    now = [0.0]
    resolver = Resolver(clock=lambda: now[0])
    resolver.resolv_conf_path = str(path)
    resolver.retransmit_seconds = 3.0
    resolver.attempts = 4
    conf = resolver.resolv_conf()
    assert (conf.servers, conf.timeout, conf.attempts) == ([("127.0.0.7", 53)], 3.0, 4)
    path.write_text("nameserver 127.0.0.8\n# longer\n")
    assert resolver.resolv_conf() is conf
    now[0] = 60
    assert resolver.resolv_conf().servers == [("127.0.0.8", 53)]

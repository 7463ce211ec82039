"""The dnslookup router: which hosts it finds, and what it says where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.address.delivery import Address
from eximious.dns.answer import Answer, Status
from eximious.dns.static import StaticResolver
from eximious.routers.engine import route
from eximious.routers.outcome import Outcome
from eximious.spool.message import Header
from eximious.taint import Tainted

from .place import Place

ZONE = """
mx.ex       MX 10 a.mx.ex
mx.ex       MX 5  b.mx.ex
mx.ex       MX 10 c.mx.ex
a.mx.ex     A  192.0.2.1
b.mx.ex     A  192.0.2.2
c.mx.ex     AAAA 2001:db8::3
c.mx.ex     A  192.0.2.3
host.ex     A  192.0.2.9
null.ex     MX 0 .
lost.ex     MX 5 no.such.host
partly.ex   MX 5 no.such.host
partly.ex   MX 6 a.mx.ex
ipmx.ex     MX 5 192.0.2.7
twice.ex    MX 5 a.mx.ex
twice.ex    MX 9 A.MX.EX
again.ex    AGAIN
againmx.ex  MX 5 again.ex
againmx.ex  MX 9 a.mx.ex
self.ex     MX 5 local.ex
self.ex     MX 6 a.mx.ex
local.ex    A  10.9.9.9
second.ex   MX 5 a.mx.ex
second.ex   MX 6 local.ex
second.ex   MX 7 b.mx.ex
equal.ex    MX 6 local.ex
equal.ex    MX 6 b.mx.ex
alias.ex    CNAME host.ex
short.ex    A  192.0.2.8
_smtp._tcp.srv.ex   SRV 10 0 2525 a.mx.ex
_smtp._tcp.srv.ex   SRV 20 0 25 b.mx.ex
_smtp._tcp.nosrv.ex SRV 0 0 0 .
nosrv.ex            A 192.0.2.78
_smtp._tcp.mx.ex    SRV 0 0 0 b.mx.ex
_smtp._tcp.sfail.ex AGAIN
sfail.ex            A 192.0.2.77
"""
REST = "rest:\n driver = accept\n transport = t1\n"
HEAD = "router = r, transport = s"
PASSED_ON = ["router = rest, transport = t1"]


def found(shown: list[str]) -> list[str]:
    """What -bt shows below the address, without indentation, with single spaces."""
    return [" ".join(line.split()) for line in shown[1:]] or [shown[0].partition(": ")[2]]


HOSTS: list[tuple[str, str, list[str]]] = [
    (
        "mx.ex",
        "",
        [HEAD, "host b.mx.ex [192.0.2.2] MX=5", "host a.mx.ex [192.0.2.1] MX=10", "host c.mx.ex [192.0.2.3] MX=10"],
    ),
    ("twice.ex", "", [HEAD, "host a.mx.ex [192.0.2.1] MX=5"]),
    ("host.ex", "", [HEAD, "host host.ex [192.0.2.9]"]),
    ("alias.ex", "", [HEAD, "host host.ex [192.0.2.9]"]),
    ("null.ex", "no_more", ["an MX or SRV record indicated no SMTP service"]),
    ("null.ex", "", PASSED_ON),
    ("lost.ex", "no_more", ["all relevant MX records point to non-existent hosts"]),
    (
        "ipmx.ex",
        "no_more",
        ["all relevant MX records point to non-existent hosts or (invalidly) to IP addresses"],
    ),
    ("none.ex", "no_more", ["Unrouteable address"]),
    ("none.ex", "", PASSED_ON),
    ("partly.ex", "", [HEAD, "host no.such.host [unknown] MX=5 ** unusable **", "host a.mx.ex [192.0.2.1] MX=6"]),
    ("again.ex", "", ["host lookup did not complete"]),
    ("again.ex", "pass_on_timeout", PASSED_ON),
    ("againmx.ex", "", [HEAD, "host again.ex [unknown] MX=5 ** unusable **", "host a.mx.ex [192.0.2.1] MX=9"]),
    ("self.ex", "", ["lowest numbered MX record points to local host"]),
    ("equal.ex", "", ["lowest numbered MX record points to local host"]),
    ("second.ex", "", [HEAD, "host a.mx.ex [192.0.2.1] MX=5"]),
    ("second.ex", "check_secondary_mx", [HEAD, "host a.mx.ex [192.0.2.1] MX=5"]),
    ("mx.ex", "check_secondary_mx", PASSED_ON),
    ("self.ex", "check_secondary_mx", PASSED_ON),
    ("host.ex", "mx_domains = *.ex", PASSED_ON),
    ("host.ex", "mx_domains = mx.ex", [HEAD, "host host.ex [192.0.2.9]"]),
    ("null.ex", "fail_defer_domains = null.ex", ["an MX or SRV record indicated no SMTP service"]),
    ("host.ex", "ignore_target_hosts = 192.0.2.0/24", PASSED_ON),
    (
        "mx.ex",
        "ignore_target_hosts = 192.0.2.2",
        [
            HEAD,
            "host b.mx.ex [unknown] MX=5 ** unusable **",
            "host a.mx.ex [192.0.2.1] MX=10",
            "host c.mx.ex [192.0.2.3] MX=10",
        ],
    ),
    ("mx.ex", "dnssec_require_domains = *", ["host lookup done insecurely"]),
    ("host.ex", "dnssec_require_domains = *", ["host lookup done insecurely"]),
    (
        "srv.ex",
        "check_srv = smtp",
        [HEAD, "host a.mx.ex [192.0.2.1] MX=10 port=2525", "host b.mx.ex [192.0.2.2] MX=20 port=25"],
    ),
    ("nosrv.ex", "check_srv = smtp\n no_more", ["an MX or SRV record indicated no SMTP service"]),
    ("mx.ex", "check_srv = smtp", [HEAD, "host b.mx.ex [192.0.2.2] MX=0"]),
    ("host.ex", "check_srv = smtp", [HEAD, "host host.ex [192.0.2.9]"]),
    ("srv.ex", "check_srv = ${if eq{a}{b}{}fail}", PASSED_ON),
    ("srv.ex", "check_srv = ${if", ['r router: failed to expand "${if": condition name expected, but found ""']),
    ("sfail.ex", "check_srv = smtp", ["host lookup did not complete"]),
    ("sfail.ex", "check_srv = smtp\n srv_fail_domains = *", [HEAD, "host sfail.ex [192.0.2.77]"]),
    ("short", "widen_domains = nowhere : ex", ["<-- x@short", HEAD, "host short.ex [192.0.2.8]"]),
    ("short", "", PASSED_ON),
    ("self.ex", "self = send", [HEAD, "host local.ex [10.9.9.9] MX=5", "host a.mx.ex [192.0.2.1] MX=6"]),
    ("self.ex", "self = pass", PASSED_ON),
    ("self.ex", "self = fail", ["lowest numbered MX record points to local host"]),
    ("self.ex", "self = defer", ["lowest numbered MX record points to local host"]),
    ("self.ex", "self = reroute: host.ex", ["<-- x@self.ex", HEAD, "host host.ex [192.0.2.9]"]),
]


@pytest.mark.parametrize(("domain", "options", "expected"), HOSTS)
def test_hosts(domain: str, options: str, expected: list[str], tmp_path: Path) -> None:
    place = Place(tmp_path, f"r:\n driver = dnslookup\n transport = s\n {options}\n{REST}", zone=ZONE)
    shown = place.routed(f"x@{domain}")
    assert found(shown) == expected


FAMILIES = [
    ("", ["2001:db8::3", "192.0.2.3"]),
    ("ipv4_only = yes", ["192.0.2.3"]),
    ("ipv4_prefer = ${if eq{a}{a}}", ["192.0.2.3", "2001:db8::3"]),
    ("ipv4_only = ${if eq{a}{b}{}fail}", ["2001:db8::3", "192.0.2.3"]),
]


@pytest.mark.parametrize(("options", "expected"), FAMILIES)
def test_families(options: str, expected: list[str], tmp_path: Path) -> None:
    routers = f"r:\n driver = dnslookup\n transport = s\n {options}\n"
    place = Place(tmp_path, routers, zone=ZONE, ipv6=True)
    routed = route(Address(Tainted("x@c.mx.ex")), place.context())
    assert [host.address for host in routed.deliveries[0].host_list] == expected


def test_freezing(tmp_path: Path) -> None:
    place = Place(tmp_path, "r:\n driver = dnslookup\n transport = s\n", zone=ZONE)
    routed = route(Address(Tainted("x@self.ex")), place.context())
    assert routed.outcome is Outcome.DEFERRED
    assert routed.address.special_action == "freeze"
    assert place.logs.lines == [
        "main: lowest numbered MX record points to local host: self.ex (while routing <x@self.ex>)"
    ]


@pytest.mark.parametrize("setting", ["self = reroute: rewrite: host.ex", "self = reroute: host.ex"])
def test_rerouting_may_rewrite_headers(setting: str, tmp_path: Path) -> None:
    place = Place(tmp_path, f"r:\n driver = dnslookup\n transport = s\n {setting}\n", zone=ZONE)
    context = place.context()
    context.message.headers = [Header("To: x@self.ex, y@other.ex\n", "T")]
    routed = route(Address(Tainted("x@self.ex")), context)
    assert routed.outcome is Outcome.REROUTED
    assert routed.generated[0].address == "x@host.ex"
    live = [header.text for header in context.message.headers if header.kind != "*"]
    assert live == (["To: x@host.ex, y@other.ex\n"] if "rewrite:" in setting else ["To: x@self.ex, y@other.ex\n"])


class NoMx(StaticResolver):
    """Cannot say anything about MX records."""

    async def _ask(self, name: str, type: str, blocking: bool) -> Answer:
        if type == "MX":
            return Answer(Status.AGAIN, name)
        return await super()._ask(name, type, blocking)


@pytest.mark.parametrize(
    ("option", "expected"),
    [("", ["host lookup did not complete"]), ("mx_fail_domains = *", [HEAD, "host host.ex [192.0.2.9]"])],
)
def test_mx_fail_domains(option: str, expected: list[str], tmp_path: Path) -> None:
    place = Place(tmp_path, f"r:\n driver = dnslookup\n transport = s\n {option}\n")
    place.services.__dict__["dns"] = NoMx(ZONE)
    assert found(place.routed("x@host.ex")) == expected


def test_dnssec(tmp_path: Path) -> None:
    place = Place(tmp_path, "r:\n driver = dnslookup\n transport = s\n dnssec_require_domains = *\n")
    place.services.__dict__["dns"] = StaticResolver(ZONE, secure=True)
    routed = route(Address(Tainted("x@host.ex")), place.context())
    assert [host.dnssec for host in routed.deliveries[0].host_list] == [True]


def test_the_text_for_people(tmp_path: Path) -> None:
    place = Place(tmp_path, "r:\n driver = dnslookup\n transport = s\n", zone=ZONE)
    routed = route(Address(Tainted("x@ipmx.ex")), place.context())
    assert (routed.address.user_message or "").startswith("It appears that the DNS operator for ipmx.ex\n")

"""The manualroute router: rules, lists of hosts and their options, and hosts that cannot be found."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.address.delivery import Address
from eximious.routers import host_names
from eximious.routers.engine import route
from eximious.routers.host_list import parse_hosts, split_port
from eximious.routers.outcome import Outcome
from eximious.routers.words import next_word
from eximious.taint import Tainted

from .place import Place

ZONE = """
h1.ex     A  192.0.2.1
h2.ex     A  192.0.2.2
two.ex    A  192.0.2.21
mx.ex     MX 5 h2.ex
mx.ex     MX 3 h1.ex
local.ex  A  10.9.9.9
again.ex  AGAIN
"""
SYSTEM = {"file.ex": ["192.0.2.50"], "both.ex": ["192.0.2.51", "192.0.2.52"]}
REST = "rest:\n driver = accept\n transport = t1\n"
HEAD = "router = r, transport = s"
PASSED_ON = ["router = rest, transport = t1"]


@pytest.fixture(autouse=True)
def _system(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own lookups know two hosts, and cannot tell about one."""

    def look_up(name: str, _: object) -> tuple[str, list[str]] | None:
        return None if name == "later.ex" else (name, SYSTEM.get(name, []))

    monkeypatch.setattr(host_names, "look_up", look_up)


def found(shown: list[str]) -> list[str]:
    """What -bt shows below the address, without indentation, with single spaces."""
    return [" ".join(line.split()) for line in shown[1:]] or [shown[0].partition(": ")[2]]


def failed(name: str, rest: str = "") -> list[str]:
    return [f'lookup of host "{name}" failed in r router{rest}']


NO_HOSTS = "lookup failed for all hosts in r router: host_find_failed=ignore host_all_ignored="
ROUTES: list[tuple[str, list[str]]] = [
    ("route_list = * h1.ex", [HEAD, "host h1.ex [192.0.2.1]"]),
    ("route_list = other.ex h1.ex ; d.ex h2.ex ; * h1.ex", [HEAD, "host h2.ex [192.0.2.2]"]),
    ("route_list = other.ex h1.ex", PASSED_ON),
    ("route_list = ^(.)\\.ex $1h1.ex", failed("dh1.ex")),
    ("route_list = ^d(\\\\.ex) h1$1", [HEAD, "host h1.ex [192.0.2.1]"]),
    ("route_list = !d.ex h1.ex", PASSED_ON),
    ('route_list = * "h1.ex : h2.ex"', [HEAD, "host h1.ex [192.0.2.1]", "host h2.ex [192.0.2.2]"]),
    ("route_list = * h1.ex:h2.ex", [HEAD, "host h1.ex [192.0.2.1]", "host h2.ex [192.0.2.2]"]),
    ("route_list = * <+h1.ex+h2.ex:26", [HEAD, "host h1.ex [192.0.2.1]", "host h2.ex [192.0.2.2] port=26"]),
    ("route_list = * h1.ex::26", [HEAD, "host h1.ex [192.0.2.1] port=26"]),
    ("route_list = * [192.0.2.5]::26", [HEAD, "host 192.0.2.5 [192.0.2.5] port=26"]),
    ("route_list = * 192.0.2.5", [HEAD, "host 192.0.2.5 [192.0.2.5]"]),
    ("route_list = * mx.ex/mx", [HEAD, "host h1.ex [192.0.2.1] MX=3", "host h2.ex [192.0.2.2] MX=5"]),
    ("route_list = * h1.ex byname", failed("h1.ex")),
    ("route_list = * file.ex byname", [HEAD, "host file.ex [192.0.2.50]"]),
    ("route_list = * file.ex", [HEAD, "host file.ex [192.0.2.50]"]),
    ("route_list = * file.ex bydns", failed("file.ex")),
    ("route_list = * both.ex", [HEAD, "host both.ex [192.0.2.51]", "host both.ex [192.0.2.52]"]),
    ("route_list = * later.ex byname", ["host lookup for later.ex did not complete (DNS timeout?)"]),
    ("route_list = * again.ex", ["host lookup for again.ex did not complete (DNS timeout?)"]),
    ("route_list = * again.ex\n pass_on_timeout", PASSED_ON),
    ("route_list = * h1.ex t1", ["router = r, transport = t1", "host h1.ex"]),
    ("route_list = * h1.ex nosuch", ['error in router: unknown routing option or transport name "nosuch"']),
    (
        "route_list = * h1.ex bydns what else",
        ['error in router: unknown routing option or transport name "what else"'],
    ),
    ("route_list = *", ["error in r router: no host(s) specified for domain d.ex"]),
    ("route_data = h1.ex", [HEAD, "host h1.ex [192.0.2.1]"]),
    ("route_data = h1.ex:h2.ex byname", failed("h1.ex")),
    ("route_data =", PASSED_ON),
    ("route_data = ${if eq{a}{b}{}fail}", PASSED_ON),
    ("route_data = ${if", ['failed to expand "${if": condition name expected, but found ""']),
    ("route_list = * ${if", ['r router: failed to expand "${if": condition name expected, but found ""']),
    ("route_list = * no.ex", failed("no.ex")),
    ("route_list = * no.ex\n host_find_failed = fail", failed("no.ex")),
    ("route_list = * no.ex\n host_find_failed = decline", PASSED_ON),
    ("route_list = * no.ex\n host_find_failed = pass", PASSED_ON),
    ("route_list = * no.ex\n host_find_failed = defer", failed("no.ex")),
    ("route_list = * no.ex:h1.ex\n host_find_failed = ignore", [HEAD, "host h1.ex [192.0.2.1]"]),
    ("route_list = * no.ex\n host_find_failed = ignore", [f"{NO_HOSTS}defer"]),
    ("route_list = * no.ex\n host_find_failed = ignore\n host_all_ignored = fail", [f"{NO_HOSTS}fail"]),
    ("route_list = * no.ex\n host_find_failed = ignore\n host_all_ignored = decline", PASSED_ON),
    ("route_list = * no..ex bydns", failed("no..ex", ": syntax error in name")),
    ("route_list = * no..ex", failed("no..ex")),
    ("route_list = * local.ex", ["remote host address is the local host"]),
    ("route_list = * local.ex\n self = send", [HEAD, "host local.ex [10.9.9.9]"]),
    ("route_list = * h1.ex:local.ex:h2.ex", [HEAD, "host h1.ex [192.0.2.1]"]),
    ("route_list = * local.ex\n self = pass", PASSED_ON),
    ("route_list = * h1.ex\n ignore_target_hosts = 192.0.2.1", failed("h1.ex")),
]


@pytest.mark.parametrize(("options", "expected"), ROUTES)
def test_routes(options: str, expected: list[str], tmp_path: Path) -> None:
    routers = f"r:\n driver = manualroute\n transport = s\n {options}\n{REST}"
    place = Place(tmp_path, routers, zone=ZONE)
    place.services.dns.check_name = lambda name: ".." not in name
    assert found(place.routed("x@d.ex")) == expected


def test_the_default_freezes(tmp_path: Path) -> None:
    place = Place(tmp_path, "r:\n driver = manualroute\n transport = s\n route_list = * no.ex\n")
    routed = route(Address(Tainted("x@d.ex")), place.context())
    assert (routed.outcome, routed.address.special_action) == (Outcome.DEFERRED, "freeze")
    assert routed.address.errno == -32


def test_local_transports_get_the_text_for_a_host(tmp_path: Path) -> None:
    place = Place(tmp_path, "r:\n driver = manualroute\n transport = t1\n route_list = * some:text\n")
    routed = route(Address(Tainted("x@d.ex")), place.context())
    assert [host.name for host in routed.deliveries[0].host_list] == ["some:text"]


def test_what_the_domain_matched(tmp_path: Path) -> None:
    table = tmp_path / "table"
    table.write_text("d.ex: h2.ex\n")
    routers = f"r:\n driver = manualroute\n transport = s\n route_list = lsearch;;{table} $value\n"
    assert found(Place(tmp_path, routers, zone=ZONE).routed("x@d.ex")) == [HEAD, "host h2.ex [192.0.2.2]"]


def test_translated_addresses(tmp_path: Path) -> None:
    routers = """r:
 driver = manualroute
 transport = s
 route_list = * 192.0.2.1:192.0.2.2:192.0.2.3
 translate_ip_address = ${extract{$host_address}{192.0.2.1=10.0.0.1 192.0.2.2=both.ex}{$value}fail}
"""
    shown = Place(tmp_path, routers).routed("x@d.ex")
    assert found(shown) == [
        HEAD,
        "host 192.0.2.1 [10.0.0.1]",
        "host both.ex [192.0.2.51]",
        "host both.ex [192.0.2.52]",
        "host 192.0.2.3 [192.0.2.3]",
    ]


TROUBLE = [
    ("${if", 'translate_ip_address expansion failed: condition name expected, but found ""'),
    ("no.ex", "host lookup for no.ex failed"),
    ("later.ex", "host lookup for later.ex failed"),
]


@pytest.mark.parametrize(("option", "message"), TROUBLE)
def test_addresses_that_cannot_be_translated(option: str, message: str, tmp_path: Path) -> None:
    routers = (
        f"r:\n driver = manualroute\n transport = s\n route_list = * 192.0.2.1\n translate_ip_address = {option}\n"
    )
    assert found(Place(tmp_path, routers).routed("x@d.ex")) == [message]


# --- lists of hosts ---------------------------------------------------------------------------------------------------

PORTS = [
    ("h.ex", ("h.ex", 0)),
    ("h.ex:25", ("h.ex", 25)),
    ("h.ex:66000", ("h.ex:66000", 0)),
    ("[1.2.3.4]:25", ("1.2.3.4", 25)),
    ("[2001:db8::1]:25", ("2001:db8::1", 25)),
    ("[2001:db8::1].25", ("2001:db8::1", 25)),
    ("2001:db8::1", ("2001:db8::1", 0)),
    ("[1.2.3.4]", ("[1.2.3.4]", 0)),
    ("", ("", 0)),
]


@pytest.mark.parametrize(("item", "expected"), PORTS)
def test_ports(item: str, expected: tuple[str, int]) -> None:
    assert split_port(item) == expected


def test_groups_stay_in_order_when_hosts_are_shuffled() -> None:
    seen = set()
    for seed in range(40):
        hosts = parse_hosts("a:b:+:c:d", randomize=True, random=random.Random(seed))
        names = [host.name for host in hosts]
        assert set(names[:2]) == {"a", "b"}
        seen.add("".join(names))
    assert seen == {"abcd", "bacd", "abdc", "badc"}


def test_order_as_written() -> None:
    hosts = parse_hosts("<; c ; [::1]:99 ; + ; a", randomize=False, random=random.Random(1))
    assert [(host.name, host.port) for host in hosts] == [("c", 0), ("::1", 99), ("a", 0)]


WORDS = [
    ("", ("", "")),
    ("one", ("one", "")),
    ("  one two  three", ("one", "two  three")),
    ('"one two" three', ("one two", "three")),
    ('"a\\"b\\\\c\\n\\101\\x41" d', ('a"b\\c\nAA', "d")),
    ('"unended', ("unended", "")),
    ('a"b c"', ('a"b', 'c"')),
    ('"\\', ("\\", "")),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_words(text: str, expected: tuple[str, str]) -> None:
    assert next_word(text) == expected


@given(st.text(alphabet='ab "\\x7\t\n', max_size=30))
def test_words_end(text: str) -> None:
    rest = text
    for _ in range(len(text) + 1):
        _, rest = next_word(rest)
    assert rest == ""

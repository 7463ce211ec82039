"""Host lists: names that are looked up, both ways, and what follows when that fails."""

from __future__ import annotations

import pytest

from eximious.address.delivery import Host
from eximious.context import Context
from eximious.errors import Defer
from eximious.lists import host
from tests.expand.context import make_context

ZONE = """
1.2.0.192.in-addr.arpa PTR good.example.test
1.2.0.192.in-addr.arpa PTR alias.example.test
good.example.test A 192.0.2.1
alias.example.test A 192.0.2.1
2.2.0.192.in-addr.arpa PTR liar.example.test
liar.example.test A 192.0.2.99
3.2.0.192.in-addr.arpa AGAIN
later.example.test AGAIN
mail.example.test A 192.0.2.25
"""
CONFIGURATION = """primary_hostname = mail.example.test
host_lookup_order = bydns
hostlist inner = *.example.test
"""


def context_of(address: str) -> Context:
    context = make_context(CONFIGURATION, ZONE)
    context.client.host_address = address
    return context


VERDICTS = [
    # address, list, whether the host is on it (None: try again)
    ("192.0.2.1", "*.example.test", True),
    ("192.0.2.1", "*.EXAMPLE.test", True),
    ("192.0.2.1", "^alias[.]", True),
    ("192.0.2.1", "+inner", True),
    ("192.0.2.1", "good.example.test", True),
    ("192.0.2.1", "mail.example.test : good.example.test", True),
    ("192.0.2.1", "@", False),
    ("192.0.2.25", "@", True),
    ("192.0.2.1", "! *.example.test : *", False),
    ("192.0.2.2", "*.example.test", False),
    ("192.0.2.2", "+include_unknown : *.example.test", True),
    ("192.0.2.2", "+ignore_unknown : *.example.test : 192.0.2.2", True),
    ("192.0.2.2", "*.example.test : 192.0.2.2", False),
    ("192.0.2.2", "192.0.2.2 : *.example.test", True),
    ("192.0.2.3", "*.example.test", None),
    ("192.0.2.3", "+include_defer : *.example.test", True),
    ("192.0.2.3", "+ignore_defer : *.example.test : *", True),
    ("192.0.2.3", "+include_unknown : *.example.test", None),
    ("192.0.2.1", "later.example.test", None),
    ("192.0.2.1", "+include_defer : later.example.test", True),
    ("192.0.2.1", "none.example.test", False),
    ("192.0.2.1", "+ignore_unknown : none.example.test : 192.0.2.0/24", True),
    ("", "*.example.test", False),
    ("", "*.example.test :", False),
    ("", ": *.example.test", True),
    ("", "*", True),
    ("192.0.2.1", "", False),
    ("192.0.2.1", "! :", True),
]


@pytest.mark.parametrize(("address", "text", "expected"), VERDICTS)
def test_verdict(address: str, text: str, expected: bool | None) -> None:
    context = context_of(address)
    compiled = host.compile(text)
    if expected is None:
        with pytest.raises(Defer):
            compiled.match(context.client, context)
    else:
        assert (compiled.match(context.client, context) is not None) is expected


LINES = [
    ("192.0.2.2", "*.x", "list matching forced to fail: failed to find host name for 192.0.2.2"),
    ("192.0.2.2", "+include_unknown:*.x", "failed to find host name for 192.0.2.2: accepted by +include_unknown"),
    ("192.0.2.2", "+ignore_unknown:*.x", "failed to find host name for 192.0.2.2: ignored by +ignore_unknown"),
    ("192.0.2.1", "none.x", "list matching forced to fail: failed to find IP address for none.x"),
]


@pytest.mark.parametrize(("address", "text", "line"), LINES)
def test_log(address: str, text: str, line: str) -> None:
    context = context_of(address)
    host.compile(text).match(context.client, context)
    assert context.services.logs.lines == [line]  # type: ignore[attr-defined]


def test_a_name_is_looked_up_once() -> None:
    context = context_of("192.0.2.1")
    for _ in range(3):
        host.compile("*.nowhere").match(context.client, context)
    asked = [name for name, _ in context.services.dns.asked if name.endswith("arpa")]  # type: ignore[attr-defined]
    assert len(asked) == 1
    assert context.client.host_name == "good.example.test"


def test_a_host_of_a_delivery_is_matched_by_its_own_name_and_address() -> None:
    context = make_context(CONFIGURATION, ZONE)
    there = Host("relay.other.test", "192.0.2.77")
    assert host.compile("*.other.test").match(there, context) is not None
    assert host.compile("192.0.2.0/24").match(there, context) is not None
    assert host.compile("192.0.2.1").match("192.0.2.1", context) is not None


def test_the_answer_of_a_named_list_is_kept() -> None:
    context = context_of("192.0.2.1")
    compiled = host.compile("+inner")
    assert compiled.match(context.client, context) is not None
    assert any(value is not None for value in context.named_list_cache.values())
    before = len(context.services.dns.asked)  # type: ignore[attr-defined]
    assert compiled.match(context.client, context) is not None
    assert len(context.services.dns.asked) == before  # type: ignore[attr-defined]

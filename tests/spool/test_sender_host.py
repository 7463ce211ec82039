"""The client in Received: headers, as Exim shows it."""

from __future__ import annotations

import pytest

from eximious.spool.message import Client
from eximious.spool.sender_host import received_host, says_more

# name, HELO, ident, what is shown of a client at 192.0.2.7
HOSTS = [
    ("", "", "", "[192.0.2.7]"),
    ("", "c.test", "", "[192.0.2.7] (helo=c.test)"),
    ("", "c.test", "joe", "[192.0.2.7] (helo=c.test ident=joe)"),
    ("", "[192.0.2.7]", "joe", "[192.0.2.7] (ident=joe)"),
    ("n.test", "", "", "n.test ([192.0.2.7])"),
    ("n.test", "N.test", "joe", "n.test ([192.0.2.7] ident=joe)"),
    ("n.test", "c.test", "", "n.test ([192.0.2.7] helo=c.test)"),
    ("n.test", "[192.0.2.7]", "joe", "n.test ([192.0.2.7] ident=joe)"),
    ("n.test", "c.test", "joe", "n.test\n\t([192.0.2.7] helo=c.test ident=joe)"),
]


@pytest.mark.parametrize(("name", "helo", "ident", "expected"), HOSTS)
def test_received_host(name: str, helo: str, ident: str, expected: str) -> None:
    client = Client()
    client.host_address, client.host_name, client.helo_name, client.ident = "192.0.2.7", name or None, helo, ident
    assert received_host(client) == expected


LITERALS = [
    ("192.0.2.7", "[192.0.2.7]", False),
    ("192.0.2.7", "[IPv4:192.0.2.7]", False),
    ("192.0.2.7", "[192.0.2.8]", True),
    ("192.0.2.7", "192.0.2.7", True),
    ("2001:db8::7", "[IPv6:2001:DB8:0::7]", False),
    ("2001:db8::7", "[192.0.2.7]", True),
]


@pytest.mark.parametrize(("address", "helo", "expected"), LITERALS)
def test_literals(address: str, helo: str, expected: bool) -> None:
    client = Client()
    client.host_address = address
    assert says_more(helo, client) is expected

"""Records from a text file."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from eximious.mailauth.resolver import Outcome
from eximious.mailauth.zone import ZoneError, read

TEXT = r"""
; a comment
example.org. 300 IN TXT "v=spf1 -all"   ; another
example.org  TXT "two " "parts" plain
a.example.org A 192.0.2.1 # one
a.example.org A 192.0.2.2
a.example.org AAAA 2001:DB8::1
example.org MX 10 a.example.org.
b.example.org CNAME a.example.org.
quoted.example.org TXT "a\"b\\c\228;#"
unicode.example.org TXT "h€"
down.example.org SERVFAIL
1.2.0.192.in-addr.arpa PTR a.example.org.
"""
QUESTIONS = [
    ("example.org", "TXT", (b"v=spf1 -all", b"two partsplain")),
    ("a.example.org", "A", ("192.0.2.1", "192.0.2.2")),
    ("b.example.org", "AAAA", ("2001:db8::1",)),
    ("example.org", "MX", ((10, "a.example.org"),)),
    ("quoted.example.org", "TXT", (b'a"b\\c\xe4;#',)),
    ("unicode.example.org", "TXT", ("h€".encode(),)),
    ("1.2.0.192.in-addr.arpa", "PTR", ("a.example.org",)),
    ("down.example.org", "TXT", Outcome.FAILED),
    ("a.example.org", "TXT", Outcome.NODATA),
    ("c.example.org", "A", Outcome.NXDOMAIN),
]


@pytest.mark.parametrize(("name", "kind", "expected"), QUESTIONS)
def test_answers(name: str, kind: str, expected: Any) -> None:
    answer = asyncio.run(read(TEXT).query(name, kind))
    assert expected in (answer.data, answer.outcome)


FAULTS = [
    ("example.org", '"" is none of the types A, AAAA, CNAME, MX, NS, PTR, TXT'),
    ("example.org SOA x", '"SOA" is none of the types'),
    ("example.org A x", "Expected 4 octets"),
    ("example.org A", "the data of the A record is wrong"),
    ("example.org MX a b", "the data of the MX record is wrong"),
    ("example.org TXT", "the data of the TXT record is wrong"),
    ('example.org TXT "x', "a quote does not end"),
    ("exa..mple A 192.0.2.1", '"exa..mple" is no domain name'),
]


@pytest.mark.parametrize(("line", "complaint"), FAULTS)
def test_faults(line: str, complaint: str) -> None:
    with pytest.raises(ZoneError) as raised:
        read(f"\n{line}\n")
    assert str(raised.value).startswith(f"line 2: {complaint}")

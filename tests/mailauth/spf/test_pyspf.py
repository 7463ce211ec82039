"""Records made at random come to the same result here and in pyspf."""

from __future__ import annotations

import asyncio
import random
import socket
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from eximious.mailauth.resolver import StaticResolver
from eximious.mailauth.spf import check_mail_from

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import spf as pyspf

TERMS = [
    "ip4:192.0.2.0/24", "ip4:192.0.2.1", "-ip4:198.51.100.0/25", "ip6:2001:db8::/32", "a", "a/24", "a:host.example",
    "mx", "mx//64", "mx:mail.example/28", "~include:two.example", "include:three.example", "exists:%{i}.list.example",
    "?ptr", "ptr:example", "-all", "~all", "all", "redirect=two.example", "redirect=none.example", "a:void.example",
    "include:none.example", "nonsense", "x-unknown=1", "a:%{d}/30", "exists:%{l1r-}.%{d2}", "ip4:300.1.1.1",
    "A:host.EXAMPLE",
]  # fmt: skip
ZONE: dict[str, Any] = {
    "one.example": {"A": ["192.0.2.1"], "MX": [(10, "mail.example")]},
    "host.example": {"A": ["192.0.2.77"], "AAAA": ["2001:db8::77"]},
    "mail.example": {"A": ["198.51.100.9"], "AAAA": ["2001:db8::25"], "MX": [(5, "host.example")]},
    "three.example": {"TXT": ["v=spf1 ip4:203.0.113.0/24 -all"]},
    "192.0.2.1.list.example": {"A": ["127.0.0.2"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["one.example"]},
}


def zone(seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    made = {name: dict(records) for name, records in ZONE.items()}
    for name in ("one.example", "two.example"):
        # Not the same twice: pyspf takes a repeated unknown modifier for an error, against RFC 7208 section 6.
        record = " ".join(["v=spf1", *chance.sample(TERMS, chance.randrange(6))])
        made.setdefault(name, {})["TXT"] = [record]
    return made


@pytest.mark.parametrize("seed", range(150))
def test_same_result(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = zone(seed)

    def lookup(name: str, qtype: str, *_: Any, **__: Any) -> Iterator[Any]:
        for data in names.get(name.lower(), {}).get(qtype, ()):
            if qtype == "TXT":
                data = (data.encode(),)
            elif qtype == "AAAA":
                data = socket.inet_pton(socket.AF_INET6, data)
            yield (name, qtype), data

    monkeypatch.setattr(pyspf, "DNSLookup", lookup)
    for ip in ("192.0.2.1", "198.51.100.9", "203.0.113.5", "2001:db8::77", "2001:db8:1::1"):
        theirs, _, _ = pyspf.query(ip, "joe-x@one.example", "helo.example", strict=True, querytime=20).check()
        ours = asyncio.run(check_mail_from(ip, "joe-x@one.example", "helo.example", resolver=StaticResolver(names)))
        assert ours.result.value == theirs, (ip, names["one.example"]["TXT"], names["two.example"]["TXT"], str(ours))

"""The lookup spf."""

from __future__ import annotations

import pytest

from tests.expand.context import CONFIGURATION, answer, make_context

ZONE = """
a.test TXT "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"
soft.test TXT "v=spf1 ~all"
odd.test TXT "v=spf1 what"
broken.test AGAIN
plain.test A 192.0.2.1
"""


@pytest.mark.parametrize(
    ("key", "address", "expected"),
    [
        ("u@a.test", "192.0.2.7", "pass"),
        ("u@a.test", "2001:db8::9", "pass"),
        ("u@a.test", "198.51.100.1", "fail"),
        ("u@soft.test", "198.51.100.1", "softfail"),
        ("u@odd.test", "198.51.100.1", "permerror"),
        ("u@broken.test", "198.51.100.1", "temperror"),
        ("u@plain.test", "198.51.100.1", "none"),
        ("u@a.test", "nonsense", 'Failed: lookup of "u@a.test" gave DEFER: "\\"nonsense\\" is not an IP address"'),
    ],
)
def test_results(key: str, address: str, expected: str) -> None:
    text = f"${{lookup{{{key}}}spf{{{address}}}{{$value}}{{nothing}}}}"
    assert answer(text, make_context(CONFIGURATION, ZONE)) == expected

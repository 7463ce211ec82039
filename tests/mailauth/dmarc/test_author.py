from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.dmarc import author_domains


@pytest.mark.parametrize(
    ("text", "domains"),
    [
        ("joe@example.org", ["example.org"]),
        (" Joe <joe@Example.ORG>\r\n", ["example.org"]),
        ('"Joe <joe@evil.example>" <joe@example.org>', ["example.org"]),
        ("Joe (joe@evil.example, really) <joe@example.org>", ["example.org"]),
        ('"joe@evil.example"@example.org', ["example.org"]),
        ("<joe@evil.example> <joe@example.org>", ["example.org"]),
        ("joe@evil.example <joe@example.org>", ["example.org"]),
        ("a@example.org, b@example.com, c@example.org", ["example.org", "example.com"]),
        ("friends: a@example.org, b@example.com;", ["example.org", "example.com"]),
        ("undisclosed:;", []),
        ("<@relay.example:joe@example.org>", ["example.org"]),
        ("joe @ example . org", ["example.org"]),
        ("joe@example.org.", ["example.org"]),
        ("joe@[192.0.2.1]", []),
        ('<joe@"bank.example">', []),
        ('"joe q"@example.org', ["example.org"]),
        ("${run{/bin/false}}@example.org", ["example.org"]),
        ('"unclosed <joe@example.org>', ["example.org"]),
        ("joe", []),
        ("", []),
        ("(" * 1000 + "joe@example.org", []),
    ],
)
def test_domains(text: str, domains: list[str]) -> None:
    assert author_domains(text) == domains


@given(st.text(st.sampled_from('ab@.,;:<>"\\() \r\n'), max_size=60))
def test_anything(text: str) -> None:
    for domain in author_domains(text):
        assert domain
        assert not set(domain) & set('@,;<>"() \r\n')

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.dmarc import Policy, Record, parse


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("v=DMARC1; p=reject", Policy.REJECT),
        ("v=DMARC1;p=Quarantine;", Policy.QUARANTINE),
        ("v = DMARC1 ; p = none", Policy.NONE),
        ("v=DMARC1; pct=5; p=reject", Policy.REJECT),
        ("v=DMARC1; p=bogus; rua=mailto:a@example.org", Policy.NONE),
        ("v=DMARC1; rua=mailto:a@example.org", Policy.NONE),
        ("v=DMARC1; p=reject; sp=bogus; rua=mailto:a@example.org", Policy.NONE),
        ("v=DMARC1; p=reject; sp=bogus", None),
        ("v=DMARC1; p=bogus", None),
        ("v=DMARC1", None),
        ("v=dmarc1; p=reject", None),
        ("v=DMARC10; p=reject", None),
        ("p=reject; v=DMARC1", None),
        ("", None),
    ],
)
def test_policy(text: str, policy: Policy | None) -> None:
    record = parse(text)
    assert (record and record.policy) == policy


def test_all_tags() -> None:
    record = parse(
        "v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=S; pct=30; t=y; psd=n; fo=1:d:x; ri=3600; junk; "
        "rua=mailto:a@example.org!10m, https://example.org/x,mailto:b%2Bc@example.com; ruf=mailto:f@example.net"
    )
    assert record is not None
    assert (record.subdomain_policy, record.nonexistent_policy) == (Policy.QUARANTINE, Policy.NONE)
    assert (record.is_dkim_strict, record.is_spf_strict, record.percent, record.interval) == (True, True, 30, 3600)
    assert (record.is_testing, record.is_public_suffix) == (True, False)
    assert record.failure_options == {"1", "d"}
    assert [(uri.address, uri.max_size, uri.domain) for uri in record.aggregate_uris] == [
        ("a@example.org", 10 << 20, "example.org"),
        ("b+c@example.com", None, "example.com"),
    ]
    assert record.failure_uris[0].domain == "example.net"
    assert record.for_subdomain() is Policy.QUARANTINE
    assert record.for_subdomain(is_nonexistent=True) is Policy.NONE


@pytest.mark.parametrize(
    "address",
    [
        "a%0d%0aBcc:x@example.org",
        "a%0a@example.org",
        "%22a b%22@example.org",
        "b%40c@example.org",
        "a,b@x",
        "<a@x>",
        "a@",
    ],
)
def test_addresses_that_could_be_something_else(address: str) -> None:
    record = parse(f"v=DMARC1; p=none; rua=mailto:{address}")
    assert record is not None
    assert all("%" not in uri.uri for uri in record.aggregate_uris)


@pytest.mark.parametrize("pct", ["", "x", "-1", "1e9", "9" * 50])
def test_impossible_values_count_as_absent(pct: str) -> None:
    record = parse(f"v=DMARC1; p=reject; pct={pct}; fo=; psd=maybe")
    assert record == Record(record.text if record else "", Policy.REJECT)


@given(st.text(max_size=200))
def test_anything(text: str) -> None:
    parse(text)
    record = parse(f"v=DMARC1; p=none; {text}; rua={text}")
    assert record is None or 0 <= record.percent <= 100

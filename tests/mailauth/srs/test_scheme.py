"""Addresses that Mail::SRS 0.31 and postsrsd 1.10 made on 2026-11-24, and what must hold for all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.srs import BadHash, Expired, NotRewritten, Scheme, SrsError

DAY = 86_400
NOW = 20_781 * DAY + 3600  # 2026-11-24

# What both programs make, with the secret "tops3cret", four characters of hash, in me.example.
FORWARD = [
    ("user@example.com", "SRS0=rZ7H=JN=example.com=user@me.example"),
    ("User.Name@Sub.Example.COM", "SRS0=cTGN=JN=Sub.Example.COM=User.Name@me.example"),
    ("a=b+c@example.org", "SRS0=vhcD=JN=example.org=a=b+c@me.example"),
    ("SRS0=abcd=QA=x.org=joe@fwd.example", "SRS1=VB/M=fwd.example==abcd=QA=x.org=joe@me.example"),
    ("SRS1=WXYZ=fwd.example==abcd=QA=x.org=joe@second.example", "SRS1=VB/M=fwd.example==abcd=QA=x.org=joe@me.example"),
    ("SRS0+abcd=QA=x.org=joe@fwd.example", "SRS1=553k=fwd.example=+abcd=QA=x.org=joe@me.example"),
    ("", ""),
    ("joe@me.example", "joe@me.example"),
]


def scheme(*secrets: str, now: float = NOW, **options: Any) -> Scheme:
    return Scheme(secrets or ("tops3cret",), clock=lambda: now, **options)


@pytest.mark.parametrize(("sender", "rewritten"), FORWARD)
def test_forward(sender: str, rewritten: str) -> None:
    assert scheme().forward(sender, "me.example") == rewritten


@pytest.mark.parametrize(
    ("address", "original"),
    [
        ("SRS0=rZ7H=JN=example.com=user@me.example", "user@example.com"),
        ("srs0=rz7h=jn=example.com=user@me.example", "user@example.com"),  # somebody changed the case
        ("SRS0+rZ7H=JN=example.com=user@me.example", "user@example.com"),
        ("SRS0-rZ7H=JN=example.com=user", "user@example.com"),
        ("SRS0=vhcD=JN=example.org=a=b+c@me.example", "a=b+c@example.org"),
        ("SRS1=VB/M=fwd.example==abcd=QA=x.org=joe@me.example", "SRS0=abcd=QA=x.org=joe@fwd.example"),
        ("SRS1=553k=fwd.example=+abcd=QA=x.org=joe@me.example", "SRS0+abcd=QA=x.org=joe@fwd.example"),
        ("SRS0=rZ7I=JN=example.com=user@me.example", BadHash),
        ("SRS0=rZ7=JN=example.com=user@me.example", BadHash),
        ("SRS0=rZ7H=JN=example.com=other@me.example", BadHash),
        ("SRS1=VB/M=other.example==abcd=QA=x.org=joe@me.example", BadHash),
        ("SRS0=rZ7H=JN=example.com", NotRewritten),
        ("SRS0=rZ7H=JN==user", NotRewritten),
        ("SRS1=VB/M=fwd.example=abcd", NotRewritten),
        ("SRS0rZ7H=JN=example.com=user", NotRewritten),
        ("SRS2=rZ7H=JN=example.com=user", NotRewritten),
        ("user@me.example", NotRewritten),
        ("SRS0=" + "a" * 600, NotRewritten),
        ("", NotRewritten),
    ],
)
def test_reverse(address: str, original: str | type[SrsError]) -> None:
    if isinstance(original, str):
        assert scheme().reverse(address) == original
    else:
        with pytest.raises(original):
            scheme().reverse(address)


@pytest.mark.parametrize(("days", "is_good"), [(0, True), (21, True), (22, False), (1023, False), (-1, False)])
def test_age(days: int, is_good: bool) -> None:
    address = scheme().forward("user@example.com", "me.example")
    later = scheme(now=NOW + days * DAY)
    if is_good:
        assert later.reverse(address) == "user@example.com"
    else:
        with pytest.raises(Expired):
            later.reverse(address)


def test_the_first_secret_signs_and_all_verify() -> None:
    old = scheme("old").forward("user@example.com", "me.example")
    both = scheme("new", "old")
    assert both.forward("user@example.com", "me.example") == scheme("new").forward("user@example.com", "me.example")
    assert both.reverse(old) == "user@example.com"
    with pytest.raises(BadHash):
        scheme("new").reverse(old)


def test_without_hash_and_timestamp() -> None:
    bare = scheme(use_hash=False, use_timestamp=False)
    assert bare.forward("user@example.com", "me.example") == "SRS0=example.com=user@me.example"
    assert bare.reverse("SRS0=example.com=user@me.example") == "user@example.com"


@pytest.mark.parametrize(
    "options",
    [{"hash_length": 0}, {"hash_length": 21}, {"separator": "#"}, {"separator": ""}, {"max_age": 1024}],
)
def test_impossible_options(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="SRS"):
        scheme(**options)


def test_a_secret_is_needed() -> None:
    with pytest.raises(ValueError, match="secret"):
        Scheme([])
    with pytest.raises(ValueError, match="secret"):
        Scheme([""])


@pytest.mark.parametrize("sender", ["user", "@example.com", "user@"])
def test_a_sender_needs_a_domain(sender: str) -> None:
    with pytest.raises(SrsError):
        scheme().forward(sender, "me.example")


octets = st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="@")


@given(local_part=st.text(octets, min_size=1, max_size=60), length=st.integers(1, 20))
def test_there_and_back(local_part: str, length: int) -> None:
    one = scheme(hash_length=length)
    rewritten = one.forward(f"{local_part}@example.com", "me.example")
    if not local_part.upper().startswith("SRS"):
        assert one.reverse(rewritten) == f"{local_part}@example.com"


@given(st.text(st.characters(max_codepoint=255), max_size=80))
def test_anything_may_come_back(text: str) -> None:
    for prefix in ("", "SRS0=", "SRS1=", "SRS0=rZ7H=JN=", "SRS1=VB/M="):
        with pytest.raises(SrsError):
            scheme().reverse(prefix + text)

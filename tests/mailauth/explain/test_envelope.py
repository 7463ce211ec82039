"""Who sent a message, read from its header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.mailauth.explain import envelope
from eximious.mailauth.explain.envelope import client_of
from eximious.mailauth.message import Headers

RECEIVED = [
    ("from mx.example.net ([192.0.2.1] helo=out.example.net) by us with esmtp", ("192.0.2.1", "out.example.net")),
    ("from mx.example.net ([192.0.2.1]) by us with esmtp", ("192.0.2.1", "mx.example.net")),
    ("from [192.0.2.1] (helo=out.example.net)\r\n\tby us with esmtp", ("192.0.2.1", "out.example.net")),
    ("from [192.0.2.1] (port=33 helo=[10.0.0.1]) by us", ("192.0.2.1", "[10.0.0.1]")),
    ("from out.example.net (mx.example.net [192.0.2.1]) by us (Postfix)", ("192.0.2.1", "out.example.net")),
    ("from out.example.net (unknown [IPv6:2001:DB8::1]) by us", ("2001:db8::1", "out.example.net")),
    ("from out.example.net (mx.example.net. [2001:db8::1]) by us", ("2001:db8::1", "out.example.net")),
    ("from mx.example.net (HELO out.example.net) (192.0.2.1) by us", ("192.0.2.1", "out.example.net")),
    ("from out.example.net (192.0.2.1) by us (10.0.0.9) with Microsoft SMTP", ("192.0.2.1", "out.example.net")),
    ("from out.example.net (2001:db8::1) by us (2001:db8::2)", ("2001:db8::1", "out.example.net")),
    ("from joe by us with local (Exim 4.99)", None),
    ("by us with esmtp id 1", None),
    ("from x ([300.0.0.1]) by us", None),
]


@pytest.mark.parametrize(("text", "expected"), RECEIVED)
def test_received(text: str, expected: tuple[str, str] | None) -> None:
    assert client_of(text) == expected


LOOP = b"Received: from localhost ([127.0.0.1]) by us\r\n"
OUTSIDE = b"Received: from mx.example.net ([192.0.2.1] helo=out) by us\r\n"
OTHER = b"Received: from other ([192.0.2.2]) by them\r\n"


def test_what_is_not_given_is_taken_from_the_header() -> None:
    found = envelope(Headers([b"Return-Path: <joe@example.org>\r\n", LOOP, OUTSIDE, OTHER]))
    assert (found.ip, found.helo, found.sender) == ("192.0.2.1", "out", "joe@example.org")
    assert found.notes == (
        "client 192.0.2.1: from Received field 2, the first from outside",
        "HELO out: from Received field 2, the first from outside",
        "sender <joe@example.org>: from the topmost Return-Path field",
    )


def test_inside_is_better_than_nothing() -> None:
    assert envelope(Headers([b"Received: by us\r\n", LOOP])).ip == "127.0.0.1"


def test_what_is_given_counts() -> None:
    headers = Headers([b"Return-Path: <joe@example.org>\r\n", OUTSIDE])
    found = envelope(headers, ip="192.0.2.9", helo="me", sender="")
    assert (found.ip, found.helo, found.sender, found.notes) == ("192.0.2.9", "me", "", ())
    assert envelope(headers, ip="192.0.2.9", sender="").helo == ""  # that of another client says nothing


def test_nothing_known() -> None:
    found = envelope(Headers())
    assert (found.ip, found.helo, found.sender) == ("", "", None)
    assert [note.partition(":")[0] for note in found.notes] == ["client", "sender"]


@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_anything(text: str) -> None:
    client_of(text)
    client_of(f"from {text}")

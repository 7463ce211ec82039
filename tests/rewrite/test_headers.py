"""Addresses in header lines: which are changed, and that everything around them stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eximious.rewrite.header import change_domain_in_headers, rewrite_header
from eximious.rewrite.transport import rewrite_headers
from eximious.spool.message import DELETED, Header
from tests.routers.place import Place

RULES = """begin rewrite
*@long.ex   $1@much.longer.domain.name.example.com
phr@w.ex    "Foo Bar <phr@x>"  w
b@w.ex      "\\"Bee J.\\" <b2@w.ex> (c)"  wh
*@stop.ex   *
unq@x.ex    unqual Q
"""

HEADERS = [
    ("To: a@b.c\n", "To: a@b.c\n"),
    ("To: x@long.ex\n", "To: x@much.longer.domain.name.example.com\n"),
    (
        'To: "x y" <phr@w.ex> (foo), b@w.ex, x@long.ex, z@re.ex\n',
        'To: Foo Bar <phr@x>, "Bee J." <b2@w.ex> (c), \n\tx@much.longer.domain.name.example.com, \n\tz@re.ex\n',
    ),
    (
        "Cc: abcdefghijklmn@long.ex, opqrstuvwxyz@long.ex, unqual, ab@rep.ex\n",
        "Cc: abcdefghijklmn@much.longer.domain.name.example.com, \n"
        "\topqrstuvwxyz@much.longer.domain.name.example.com, \n\tunqual@test.ex, ab@rep.ex\n",
    ),
    (
        "Reply-To: grp: x@long.ex, b@w.ex;\n",
        'Reply-To: grp: x@much.longer.domain.name.example.com, \n\t"Bee J." <b2@w.ex> (c)\n',
    ),
    ("Cc: unqual, x@long.ex (abc)\n", "Cc: unqual@test.ex, x@much.longer.domain.name.example.com (abc)\n"),
    ("To: <@a,@b:y@long.ex>\n", "To: <y@much.longer.domain.name.example.com>\n"),
    ("To: y . z@long.ex\n", "To: y.z@much.longer.domain.name.example.com\n"),
    ("To: bad bad@, <>\n", "To: bad bad@, <>\n"),
    ("To:\n", "To:\n"),
    ("To: a@long.ex,\n\n", "To: a@much.longer.domain.name.example.com,\n\n"),
    ("Subject: x@long.ex\n", "Subject: x@long.ex\n"),
]
KINDS = {"To": "T", "Cc": "C", "Reply-To": "R", "Subject": " "}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "", more=RULES)


@pytest.mark.parametrize(("text", "expected"), HEADERS)
def test_headers(text: str, expected: str, place: Place) -> None:
    assert rewrite_header(text, KINDS[text.partition(":")[0]], place.context(), "test.ex") == expected


def test_what_is_no_address_is_logged(place: Place) -> None:
    rewrite_header("To: bad bad@, ok@x\n", "T", place.context())
    assert place.logs.lines == ['main: qualify/rewrite: missing or malformed local part (expected word or "<")']


def test_changing_a_domain(place: Place) -> None:
    context = place.context()
    context.message.headers = [
        Header("From: a@old.ex\n", "F"),
        Header("To: b@OLD.ex, c@other.ex\n", "T"),
        Header("X: d@old.ex\n", " "),
    ]
    change_domain_in_headers(context.message, "old.ex", "new.ex", context)
    assert [(header.kind, header.text) for header in context.message.headers] == [
        (DELETED, "From: a@old.ex\n"),
        ("F", "From: a@new.ex\n"),
        (DELETED, "To: b@OLD.ex, c@other.ex\n"),
        ("T", "To: b@new.ex, c@other.ex\n"),
        (" ", "X: d@old.ex\n"),
    ]


def test_transports_rewrite_copies(tmp_path: Path) -> None:
    transports = 'begin transports\nt:\n driver = smtp\n headers_rewrite = "a@x.ex b@x.ex f : c@x.ex d@x.ex"\n'
    place = Place(tmp_path, "", transports=transports)
    headers = [Header("From: a@x.ex\n", "F"), Header("To: a@x.ex, c@x.ex\n", "T"), Header("Cc: e@x.ex\n", "C")]
    changed = rewrite_headers(place.config.transports["t"], headers, place.context())
    assert [header.text for header in changed] == ["From: b@x.ex\n", "To: a@x.ex, d@x.ex\n", "Cc: e@x.ex\n"]
    assert [header.text for header in headers] == ["From: a@x.ex\n", "To: a@x.ex, c@x.ex\n", "Cc: e@x.ex\n"]
    assert changed[2] is headers[2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet='ab@long.ex<>,:;"() \n\t\\', max_size=80))
def test_other_octets_stay(place: Place, text: str) -> None:
    """Without rules that match, and with nothing to qualify, a header is what it was."""
    context = place.context()
    context.config.rewrite_rules[:] = context.config.rewrite_rules[3:4]
    header = f"To: {text}\n"
    assert rewrite_header(header, "T", context) == header

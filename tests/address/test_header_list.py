"""The expected values are what a real Exim's ${addresses:...} made of the same texts."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.address.header_list import find_end, parse_list

LISTS = [
    ("a@b, c@d", ["a@b", "c@d"]),
    ("a@b, , c@d", ["a@b", "c@d"]),
    (",a@b,", ["a@b"]),
    ("grp: b@c, d@e;, f@g", ["b@c", "d@e", "f@g"]),
    ("grp: b@c, d@e; f@g", ["b@c", "d@e"]),
    ("grp:;, f@g", ["f@g"]),
    ("grp: ;", []),
    ("a@b, grp: c@d;", ["a@b", "c@d"]),
    ('"a, b" <c@d>, e@f', ["c@d", "e@f"]),
    ("(a, b) c@d, e@f", ["c@d", "e@f"]),
    ("<@a,@b:c@d>, e@f", ["c@d", "e@f"]),
    ("x <@a,@b:c@d>, e@f", ["c@d", "e@f"]),
    ("@a,@b:c@d, e@f", ["c@d", "e@f"]),
    ("a@b; c@d", []),
    ("a@[1,2], c@d", ["c@d"]),
    ("a\\,b@c, d@e", ["a\\,b@c", "d@e"]),
    ('"a\\",b"@c, d@e', ['"a\\",b"@c', "d@e"]),
    ("bad bad, a@b", ["a@b"]),
    ("<>, a@b", ["a@b"]),
    ('"x, a@b', []),
    ("(x, a@b", []),
    ("grp: a@b, bad bad;, c@d", ["a@b", "c@d"]),
    ("grp1: a@b; grp2: c@d;", ["a@b"]),
    ('"my grp": a@b;', ["a@b"]),
    ("my grp : a@b ;", ["a@b"]),
    ("my.grp: a@b;", ["a@b"]),
    ("<a@b, c@d>, e@f", ["e@f"]),
    ('<"a,b"@c>, d@e', ['"a,b"@c', "d@e"]),
    ("a@b (x, y), c@d", ["a@b", "c@d"]),
    ("a, b", ["a", "b"]),
    ('grp: "x y" <a@b>, (z) c@d;', ["a@b", "c@d"]),
    ("", []),
    (" \n ", []),
]


@pytest.mark.parametrize(("text", "addresses"), LISTS)
def test_list(text: str, addresses: list[str]) -> None:
    assert [item.parsed.address for item in parse_list(text) if item.parsed is not None] == addresses


def test_faults_are_told() -> None:
    good, bad = parse_list("a@b, c d")
    assert good.error == ""
    assert bad.parsed is None
    assert bad.error == 'missing or malformed local part (expected word or "<")'


def test_where_items_stand() -> None:
    text = "grp: Foo <a@b>, c@d;"
    first, second = parse_list(text)
    assert (text[first.start : first.end], text[second.start : second.end]) == ("grp: Foo <a@b>", " c@d;")
    for item, address in ((first, "a@b"), (second, "c@d")):
        assert item.parsed is not None
        assert text[item.offset + item.parsed.start : item.offset + item.parsed.end] == address


@pytest.mark.parametrize(
    ("text", "newline_ends", "end"),
    [
        ("a,b", False, 1),
        ("a\nb,c", False, 3),
        ("a\nb,c", True, 1),
        ('"a\nb"\nc', True, 5),
        ("a", False, 1),
        ("", False, 0),
        ("@a, b", False, 2),
        ("@a,", False, 2),
        ("x @a,@b:c", False, 4),
        ("\\", False, 1),
        ('"\\', False, 2),
        ("(\\)),x", False, 4),
        ("((),),x", False, 5),
    ],
)
def test_find_end(text: str, newline_ends: bool, end: int) -> None:
    assert find_end(text, newline_ends=newline_ends) == end


PIECES = st.sampled_from([*'ab.@<>(),;:\\"[] \n', "a@b", "<a@b>", "@a:", '"x"', "g:"])


@given(text=st.lists(PIECES, max_size=30).map("".join))
def test_whatever_comes(text: str) -> None:
    items = parse_list(text)
    assert all((item.parsed is None) == bool(item.error) for item in items)
    for before, after in itertools.pairwise(items):
        assert before.end < after.start + 1


@pytest.mark.parametrize(
    "text", ["(" * 100_000, "a," * 50_000, "g:" * 50_000, '"' * 100_001, "a@b;," * 20_000, "\\" * 100_000], ids=range(6)
)
def test_cve_2020_28017_long_lists_take_linear_time(text: str) -> None:
    before = time.process_time()
    parse_list(text)
    assert time.process_time() - before < 2

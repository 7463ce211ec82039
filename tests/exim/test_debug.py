"""Which debugging categories -d chooses."""

from __future__ import annotations

import pytest

from eximious.exim import debug

SELECTORS = [
    ("", debug.DEFAULT),
    ("-all", frozenset()),
    ("-all+acl", frozenset({"acl"})),
    ("-all+acl+dns-acl", frozenset({"dns"})),
    ("+expand", debug.DEFAULT | {"expand"}),
    ("+all", frozenset(debug.CATEGORIES) - {"memory", "noutf8"}),
    ("-all+memory", frozenset({"memory"})),
]


@pytest.mark.parametrize(("selectors", "expected"), SELECTORS)
def test_categories(selectors: str, expected: frozenset[str]) -> None:
    assert debug.parse(selectors) == expected


def test_the_usual_ones_are_fewer_than_all() -> None:
    assert {"acl", "route", "deliver"} < debug.DEFAULT
    assert not debug.DEFAULT & {"expand", "memory", "pid", "timestamp"}

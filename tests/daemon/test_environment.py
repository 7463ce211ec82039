"""Which environment variables are kept."""

from __future__ import annotations

from typing import Any

import pytest

from eximious.config.main import MainOptions
from eximious.daemon import environment

VARIABLES = {"PATH": "/bin", "HOME": "/root", "LD_PRELOAD": "x", "PERL5LIB": "y", "LC_ALL": "C", "LC_TIME": "de"}

KEPT: list[tuple[list[str], set[str]]] = [
    ([], set()),
    (["PATH"], {"PATH"}),
    (["PATH", "home"], {"PATH", "HOME"}),
    (["^LC_"], {"LC_ALL", "LC_TIME"}),
    (["*_ALL"], {"LC_ALL"}),
    (["NONE"], set()),
]


@pytest.mark.parametrize(("keep", "expected"), KEPT)
def test_kept(keep: list[str], expected: set[str]) -> None:
    """CVE-2016-1531: what is not asked for does not reach any command."""
    variables = dict(VARIABLES)
    assert environment.clean(MainOptions(keep_environment=keep), variables) is True
    assert set(variables) == expected


def test_unset_keeps_nothing_and_says_so() -> None:
    variables = dict(VARIABLES)
    assert environment.clean(MainOptions(), variables) is False
    assert variables == {}


def test_added() -> None:
    variables: dict[str, str] = {}
    settings: Any = ["PATH=/usr/bin", "EMPTY=", "nonsense", "=x"]
    environment.clean(MainOptions(add_environment=settings), variables)
    assert variables == {"PATH": "/usr/bin", "EMPTY": ""}

"""The examples in the library's documentation give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import eximious.mailauth

MODULES = [
    module.name
    for module in pkgutil.walk_packages(eximious.mailauth.__path__, "eximious.mailauth.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_manual() -> None:
    manual = Path(__file__).parents[2] / "docs" / "mailauth.md"
    assert doctest.testfile(str(manual), module_relative=False).failed == 0

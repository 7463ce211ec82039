"""Named lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.config.show import Show

from .files import complaint, read

SHOWN = [
    ("domainlist a = b : c", "a", ["domainlist a = b : c"]),
    ("domainlist_cache a=b", "a", ["domainlist a = b"]),
    ("domainlist a = b\nhostlist a = c\naddresslist a = d\nlocalpartlist a = e", "a", [
        "domainlist a = b", "hostlist a = c", "addresslist a = d", "localpartlist a = e",
    ]),
    ("hide hostlist a = b", "a", ["hostlist a = <value not displayable>"]),
    (r'hostlist a = "b\tc"', "a", ["hostlist a = b\tc"]),
    ("hostlist a =", "a", ["hostlist a = "]),
    ("hostlist a = b", "b", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "expected"), SHOWN)
def test_shown(text: str, name: str, expected: list[str], tmp_path: Path) -> None:
    assert Show(read(tmp_path, text), is_admin=True).named_lists(name) == expected


FAULTS = [
    ("domainlist a = b\ndomainlist a = c", 2, 'duplicate name "a" for a named domain list'),
    ("localpartlist a = b\nlocalpartlist a = c", 2, 'duplicate name "a" for a named local part list'),
    ("domainlist a b", 1, "missing '=' after \"a\""),
    ("domainlist a_b-c = d", 1, "missing '=' after \"a_b\""),
    ("domainlist_x a = d", 1, "unrecognized configuration line"),
    ("domainlistx a = d", 1, "unrecognized configuration line"),
    ("domainlist = d", 1, "missing name for a domainlist"),
    ('domainlist a = "d', 1, "missing quote at end of string value for a"),
]


@pytest.mark.parametrize(("text", "line", "expected"), FAULTS)
def test_fault(text: str, line: int, expected: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, text) == f"Exim configuration error in line {line} of FILE:\n  {expected}"


def test_compiled_when_used(tmp_path: Path) -> None:
    named = read(tmp_path, "domainlist_cache a = b").named_lists["domain"]["a"]
    assert named.is_cached
    assert named.list is named.list

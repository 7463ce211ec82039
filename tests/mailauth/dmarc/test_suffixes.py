"""The public suffix list as we read it, beside the reader of the package that carries it."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from publicsuffixlist import PublicSuffixList

from eximious.mailauth.dmarc import SuffixList

LIST = """\
// comment
\x20
com\r
co.uk // words after a space
*.ck
!www.ck
*.up.wild.example
公司.cn
"""


@pytest.fixture
def own(tmp_path: Path) -> SuffixList:
    path = tmp_path / "list"
    path.write_bytes(LIST.encode())
    return SuffixList(path)


@pytest.mark.parametrize(
    ("domain", "organizational", "is_public"),
    [
        ("www.example.com", "example.com", False),
        ("com", "com", True),
        ("a.b.co.uk", "b.co.uk", False),
        ("co.uk", "co.uk", True),
        ("a.b.c.ck", "b.c.ck", False),
        ("c.ck", "c.ck", True),
        ("ck", "ck", True),
        ("a.www.ck", "www.ck", False),
        ("up.wild.example", "up.wild.example", True),
        ("a.x.公司.cn", "x.公司.cn", False),
        ("a.x.xn--55qx5d.cn", "x.xn--55qx5d.cn", False),
        ("a.b.unlisted", "b.unlisted", False),
        ("a..com", "a..com", True),
        ("", "", True),
    ],
)
def test_rules(own: SuffixList, domain: str, organizational: str, is_public: bool) -> None:
    assert own.organizational_domain(domain) == organizational
    assert own.is_public_suffix(domain) is is_public


def test_it_agrees_with_the_package() -> None:
    theirs, ours = PublicSuffixList(), SuffixList()
    rules = [line.strip() for line in Path(_list_file()).read_text("utf-8").split("\n") if line and line[0] != "/"]
    for rule in random.Random(1).sample(rules, 300):
        name = rule.removeprefix("!").removeprefix("*.")
        for domain in (name, f"a.{name}", f"b.a.{name}", f"c.b.a.{name}"):
            assert ours.organizational_domain(domain) == (theirs.privatesuffix(domain) or domain)
            assert ours.is_public_suffix(domain) is (theirs.privatesuffix(domain) is None)


def _list_file() -> str:
    import publicsuffixlist

    return publicsuffixlist.PSLFILE


def test_only_those_who_ask_load_it() -> None:
    code = "import sys, eximious.mailauth.dmarc; assert 'publicsuffixlist' not in sys.modules"
    code += "; from eximious.mailauth.dmarc import suffixes; assert suffixes.DEFAULT._rules is None"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eximious.mailauth.dmarc.suffixes.PACKAGE", "no_such_package")
    with pytest.raises(OSError, match="not installed"):
        SuffixList().is_public_suffix("example.org")

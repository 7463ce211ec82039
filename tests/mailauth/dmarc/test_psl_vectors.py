"""The public suffix list's own test vectors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eximious.mailauth.dmarc import SuffixList

FILE = Path(__file__).parent.parent / "vectors" / "psl" / "test_psl.txt"
CASE = re.compile(r"^checkPublicSuffix\('([^']*)', (?:'([^']*)'|null)\);$", re.MULTILINE)
CASES: list[tuple[str, str]] = CASE.findall(FILE.read_text(encoding="utf-8"))
LIST = SuffixList()


def test_all_cases_are_read() -> None:
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if line.startswith("check")]
    assert len(CASES) == len(lines) - 1  # the first is for JavaScript's null


@pytest.mark.parametrize(("domain", "registrable"), CASES)
def test_case(domain: str, registrable: str) -> None:
    assert LIST.is_public_suffix(domain) is (not registrable)
    assert LIST.organizational_domain(domain) == (registrable or domain.lower())

"""What ``eximious check`` says of DMARC that has no effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.checks.test_everything import found_in

ACL = "acl_smtp_rcpt = rcpt\nacl_smtp_data = data\nbegin acl\nrcpt:\n  {}\ndata:\n  {}\n"
OFF = "dmarc_status is always off: there is no dmarc_tld_file"
NOBODY = "no ACL asks for DMARC, so there is nothing to report"

CASES = [
    (ACL.format("accept", "accept dmarc_status = accept"), [(7, OFF)]),
    ("dmarc_mode = rfc9989\n" + ACL.format("accept", "accept dmarc_status = accept"), []),
    ("dmarc_tld_file = /a\n" + ACL.format("accept", "accept dmarc_status = accept"), []),
    ("dmarc_aggregate_reports\n" + ACL.format("accept", "accept"), [(1, NOBODY)]),
    ("dmarc_aggregate_reports = false\n" + ACL.format("accept", "accept"), []),
    ("dmarc_history_file = /a\n" + ACL.format("accept", "accept"), [(1, NOBODY)]),
    (ACL.format("accept control = dmarc_forensic_enable", "accept"), [(5, NOBODY)]),
    ("dmarc_aggregate_reports\nacl_smtp_data = accept dmarc_status = *\n", []),
    (ACL.format("accept", "accept"), []),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_warnings(text: str, expected: list[tuple[int, str]], tmp_path: Path) -> None:
    found = [(one.place.line if one.place else 0, one.message) for one in found_in(text, tmp_path).warnings]
    assert [one for one in found if "DMARC" in one[1] or "dmarc" in one[1]] == expected

"""Whatever a configuration says, the check finds something to say or nothing; it does not break."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from eximious.cli.checks.everything import check
from eximious.config.errors import with_caret

from .test_faults import GOOD

PIECES = st.sampled_from(
    [
        "{",
        "}",
        "${",
        "$",
        "\\",
        "\\N",
        ":",
        "!",
        "+",
        "^(",
        "/",
        ";",
        "\n",
        " ",
        '"',
        "${lookup{",
        "lsearch;",
        "=",
        ",",
        "$1",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), PIECES), min_size=1, max_size=4))
def test_any_damage(damage: list[tuple[int, int, str]]) -> None:
    text = GOOD
    for position, deleted, inserted in damage:
        text = text[:position] + inserted + text[position + deleted :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exim.conf"
        path.write_text(text)
        findings = check(str(path), {}, with_files=False)
        for finding in (*findings.errors, *findings.warnings, *findings.notes):
            assert with_caret(finding)
            if finding.place is not None and finding.place.text:
                assert 1 <= finding.place.column <= len(finding.place.text) + 1

"""The selector ``arguments``: how the program was called. The lines are what Exim writes."""

from __future__ import annotations

import pytest

from eximious.exim.options import parse
from eximious.exim.start import arguments_line

LINES = [
    (["exim", "-bp"], "cwd=/tmp 2 args: exim -bp"),
    (["/usr/sbin/sendmail", "-t"], "cwd=/tmp 2 args: /usr/sbin/sendmail -t"),
    (["exim", "-odq", "-F", "Full Name", "x@d.test"], 'cwd=/tmp 5 args: exim -odq -F "Full Name" x@d.test'),
    (["exim", "-odq", "-f", "", "y\n@d"], 'cwd=/tmp 5 args: exim -odq -f "" y\\n@d'),
    (["exim", "-oMr", "a'b\\c", "x"], "cwd=/tmp 4 args: exim -oMr a'b\\c x"),
]


@pytest.mark.parametrize(("words", "line"), LINES)
def test_line(words: list[str], line: str) -> None:
    assert arguments_line(parse(words), "/tmp") == line

"""Lists in conditions, and what Exim says to them; ``DIR`` stands for the folder ``files``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.expand.context import answer, make_context

HERE = Path(__file__).parent
FILES = str(HERE / "files")
CONFIGURATION = (HERE / "files" / "configuration").read_text().replace("DIR", FILES)


def records() -> list[tuple[str, str]]:
    """All expressions, each with its answer; in an answer backslashes escape."""
    found = []
    for path in sorted((HERE / "expressions").glob("*.txt")):
        lines = [line for line in path.read_text(encoding="ascii").split("\n") if line and not line.startswith("#")]
        for text, expected in zip(lines[::2], lines[1::2], strict=True):
            found.append((text, expected[2:].encode("ascii").decode("unicode_escape")))
    return found


@pytest.mark.parametrize(("text", "expected"), records())
def test_expression(text: str, expected: str) -> None:
    assert answer(text.replace("DIR", FILES), make_context(CONFIGURATION)).replace(FILES, "DIR") == expected

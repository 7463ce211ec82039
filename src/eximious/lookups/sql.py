"""What SQL lookups have in common: how rows become text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from eximious.errors import Defer
from eximious.octets import SPACE

NULL: Final = "<NULL>"
MOST_ROWS: Final = 100_000  # of a result; more are not what a lookup is for


def too_many_rows() -> Defer:
    """What is raised where there are more: half an answer would be a wrong one."""
    return Defer(f"the query gave more than {MOST_ROWS} rows")


def quoted(value: str) -> str:
    """A value as it stands after ``name=``: in double quotes if it is empty, begins with one, or has white space."""
    if value and value[0] != '"' and not any(character in value for character in SPACE):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def row_text(names: Sequence[str], values: Sequence[str | None]) -> str:
    """A row: the value of an only column, or ``name=value`` and a space for each of several."""
    if len(values) == 1:
        return NULL if values[0] is None else values[0]
    pairs = zip(names, values, strict=True)
    return "".join(f"{name}={NULL if value is None else quoted(value)} " for name, value in pairs)


def rows_text(names: Sequence[str], rows: Iterable[Sequence[str | None]]) -> str | None:
    """The rows of a result, a line each, where MySQL and PostgreSQL give them; None if there are none.

    NULL is an empty text there, and as the only value in what comes first, nothing at all.
    """
    parts: list[str] = []
    for row in rows:
        if parts:
            parts.append("\n")
        if len(names) != 1:
            parts.append(row_text(names, ["" if value is None else value for value in row]))
        elif row[0] is not None:
            parts.append(row[0])
    return "".join(parts) if parts else None


def double_quotes(text: str) -> str:
    """The text with its single quotes doubled: what standard SQL wants."""
    return text.replace("'", "''")

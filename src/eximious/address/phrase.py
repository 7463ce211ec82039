"""Phrases before addresses in headers: ``"J. Doe" <jd@example.org>``. (RFC 5322 §3.2.5)"""

from __future__ import annotations

import re
from typing import Final

from eximious.octets import SPACE

# What may stand in a phrase without quotes.
_WORDS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ \t\x80-\xff]*")
_PART: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)|[^"(]+|.', re.DOTALL)


def is_plain(text: str) -> bool:
    """True if the text can stand in a phrase as it is."""
    return _WORDS.fullmatch(text) is not None


def quoted(text: str) -> str:
    """The text as a quoted string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def fix_phrase(text: str) -> str:
    """The phrase with quotes round what needs them; quoted strings and comments in it stay as they are."""
    parts = _PART.findall(text)
    if all(part[0] in '"(' or is_plain(part) for part in parts):
        return text
    if any(part[0] in '"(' and len(part) > 1 for part in parts):
        fixed = [part if part[0] in '"(' and len(part) > 1 else _fixed_part(part) for part in parts]
        return "".join(fixed)
    return _fixed_part(text)


def _fixed_part(text: str) -> str:
    """A part without quotes and comments; the white space around it stays outside the quotes."""
    stripped = text.strip(SPACE)
    if not stripped or is_plain(stripped):
        return text
    start = text.index(stripped)
    return f"{text[:start]}{quoted(stripped)}{text[start + len(stripped) :]}"

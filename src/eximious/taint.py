"""Tainted text: whatever came from outside and must not become a file name, a command or an unquoted query.

The program carries octets in `str`, one character an octet (latin-1), so that lengths, hashes and positions are those
that Exim has. `Tainted` marks such text; since `str` methods give plain strings back, the expansion engine wraps its
results again: text made with a tainted part is tainted.
"""

from __future__ import annotations

from collections.abc import Sequence


class Tainted(str):
    """Text that an outsider wrote or influenced."""

    quoter: str = ""  # the lookup type for whose queries all that is tainted in it has been quoted


def is_tainted(text: str) -> bool:
    """True if the text is marked as coming from outside."""
    return text.__class__ is Tainted


def taint(text: str) -> Tainted:
    """The same text, marked as coming from outside."""
    return text if isinstance(text, Tainted) else Tainted(text)


def untainted(text: str) -> str:
    """The same text without the mark: for what was found in the postmaster's own data."""
    return str(text)


def quoted_for(lookup: str, text: str) -> str:
    """Text that has been quoted for queries of that lookup type: still tainted if it was, and marked."""
    if not isinstance(text, Tainted):
        return text
    marked = Tainted(text)
    marked.quoter = lookup
    return marked


def made_of(whole: str, parts: Sequence[str]) -> Tainted:
    """Text made of parts of which some are tainted: it is quoted if all of those are, for the same lookup type."""
    if whole.__class__ is Tainted:
        assert isinstance(whole, Tainted)
        return whole
    made = Tainted(whole)
    quoter = ""
    for part in parts:
        if isinstance(part, Tainted):
            if not part.quoter or quoter not in ("", part.quoter):
                return made
            quoter = part.quoter
    if quoter:
        made.quoter = quoter
    return made


def alike(text: str, model: str) -> str:
    """The text, tainted and quoted as the model is of which it is a part."""
    return made_of(text, [model]) if isinstance(model, Tainted) else text

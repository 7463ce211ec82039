"""Tainted text: whatever came from outside and must not become a file name, a command or an unquoted query.

The program carries octets in `str`, one character an octet (latin-1), so that lengths, hashes and positions are those
that Exim has. `Tainted` marks such text; since `str` methods give plain strings back, the expansion engine wraps its
results again: text made with a tainted part is tainted.
"""

from __future__ import annotations


class Tainted(str):
    """Text that an outsider wrote or influenced."""

    __slots__ = ()


def is_tainted(text: str) -> bool:
    """True if the text is marked as coming from outside."""
    return text.__class__ is Tainted


def taint(text: str) -> Tainted:
    """The same text, marked as coming from outside."""
    return text if isinstance(text, Tainted) else Tainted(text)


def untainted(text: str) -> str:
    """The same text without the mark: for what was found in the postmaster's own data."""
    return str(text)

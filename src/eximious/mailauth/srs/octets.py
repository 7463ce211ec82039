"""What is hashed of a text."""

from __future__ import annotations


def octets(text: str) -> bytes:
    """One a character; a text that has characters which are no octets, in UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")

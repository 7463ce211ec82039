"""Built-in macros (``_HAVE_...``, ``_OPT_MAIN_...``, ...), derived from what the program declares."""

from __future__ import annotations


def built_in_macro(name: str) -> str | None:
    """The text of the built-in macro of that name; None if there is none."""
    return None

"""What is wrong with the text of a string, found while it is parsed."""

from __future__ import annotations

from typing import Final

TOO_DEEP: Final = "the string is nested too deeply"


class Fault(Exception):
    """A string cannot be parsed: Exim's message, the offset in the string, and what may have been meant."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint

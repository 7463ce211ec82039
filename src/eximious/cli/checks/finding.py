"""What a check found, if it also knows what to write instead."""

from __future__ import annotations

from eximious.errors import ConfigError, Place


class Finding(ConfigError):
    """A fault whose cure is known: at its place `old` stands, where `new` would be right."""

    def __init__(self, message: str, place: Place | None, hint: str, old: str, new: str) -> None:
        super().__init__(message, place, hint)
        self.old = old
        self.new = new

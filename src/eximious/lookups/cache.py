"""What a process keeps for its lookups."""

from __future__ import annotations

from typing import Any

from eximious.lookups.files import FileCache


class LookupCache:
    """Files as they were read, and connections by lookup type."""

    def __init__(self) -> None:
        self.files = FileCache()
        self.connections: dict[str, Any] = {}  # by lookup type, what is kept open; each has a `close`

    def close(self) -> None:
        """Close everything that is open."""
        for opened in self.connections.values():
            opened.close()
        self.connections.clear()

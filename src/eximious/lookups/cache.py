"""What a process keeps for its lookups."""

from __future__ import annotations

from typing import Any

from eximious.lookups.files import FileCache


class LookupCache:
    """Files as they were read, and connections by lookup type."""

    def __init__(self) -> None:
        self.files = FileCache()
        self.connections: dict[str, Any] = {}  # a pool for each lookup type that has servers

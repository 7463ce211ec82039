"""The public suffix list, which RFC 7489 finds organizational domains with. Loaded when it is first asked."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any


class SuffixList:
    """A list: that of the publicsuffixlist package, or one from a file in the format of publicsuffix.org."""

    __slots__ = ("_list", "_lock", "_path")

    def __init__(self, path: str | Path | None = None) -> None:
        self._path = path
        self._list: Any = None
        self._lock = threading.Lock()

    def organizational_domain(self, domain: str) -> str:
        """The public suffix and one label more; the domain itself if it is a public suffix. Raises OSError."""
        domain = domain.lower().removesuffix(".")
        found = self._loaded().privatesuffix(domain)
        return str(found) if found else domain

    def is_public_suffix(self, domain: str) -> bool:
        """True if anybody may register below the domain."""
        return self._loaded().privatesuffix(domain.lower().removesuffix(".")) is None

    def _loaded(self) -> Any:
        if self._list is None:
            with self._lock:
                if self._list is None:
                    self._list = self._read()
        return self._list

    def _read(self) -> Any:
        from publicsuffixlist import PublicSuffixList

        if self._path is None:
            return PublicSuffixList()
        with open(self._path, "rb") as file:
            return PublicSuffixList(source=file)


DEFAULT = SuffixList()

"""The public suffix list, which RFC 7489 finds organizational domains with. Loaded when it is first asked.

The list comes from the publicsuffixlist package, or from a file in the format of https://publicsuffix.org/list/. It is
read here, in a few milliseconds, which is a tenth of what the package's own reader needs.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PACKAGE: Final = "publicsuffixlist"
FILE_NAME: Final = "public_suffix_list.dat"


class SuffixList:
    """A list: that of the publicsuffixlist package, or one from a file in the format of publicsuffix.org."""

    __slots__ = ("_lock", "_path", "_rules")

    def __init__(self, path: str | Path | None = None) -> None:
        self._path = path
        self._rules: frozenset[str] | None = None
        self._lock = threading.Lock()

    def organizational_domain(self, domain: str) -> str:
        """The public suffix and one label more; the domain itself if it is a public suffix. Raises OSError."""
        domain = domain.lower().removesuffix(".")
        labels = domain.split(".")
        return ".".join(labels[-self._public_labels(labels) - 1 :]) if all(labels) else domain

    def is_public_suffix(self, domain: str) -> bool:
        """True if anybody may register below the domain. Raises OSError."""
        labels = domain.lower().removesuffix(".").split(".")
        return not all(labels) or self._public_labels(labels) >= len(labels)

    def _public_labels(self, labels: list[str]) -> int:
        """How many of the labels are the public suffix; the longest rule decides, and a top level is always public."""
        rules = self._rules if self._rules is not None else self._load()
        name = ".".join(labels)
        for left in range(len(labels), 0, -1):
            if f"!{name}" in rules:
                return left - 1
            if f"*.{name}" in rules:
                # What only stands above a wildcard is public as well.
                return min(left + 1, len(labels))
            if name in rules:
                return left
            name = name.partition(".")[2]
        return 1

    def _load(self) -> frozenset[str]:
        with self._lock:
            if self._rules is None:
                self._rules = _parsed((Path(self._path) if self._path is not None else packaged()).read_bytes())
            return self._rules


def packaged() -> Path:
    """The package's list; the package is not imported, which would take longer than to read the list."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise FileNotFoundError(f"the package {PACKAGE} is not installed")
    return Path(found.origin).with_name(FILE_NAME)


def _parsed(data: bytes) -> frozenset[str]:
    """The rules of a list, those of international names both ways."""
    text = data.decode("utf-8", "surrogateescape").lower()
    rules = {line.partition(" ")[0].rstrip() for line in text.split("\n") if line and line[0] != "/"}
    rules.discard("")
    rules.update([_ascii(rule) for rule in rules if not rule.isascii()])
    return frozenset(rules)


def _ascii(rule: str) -> str:
    """The rule as the DNS has it. The list's names are in normal form already, so Punycode is all that it takes."""
    labels = [one if one.isascii() else f"xn--{one.encode('punycode').decode('ascii')}" for one in rule.split(".")]
    return ".".join(labels)


DEFAULT = SuffixList()

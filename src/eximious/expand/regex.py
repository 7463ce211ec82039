"""The regular expressions of a configuration: PCRE2, as Exim has them, working on octets."""

from __future__ import annotations

from typing import Any, Final, final

import pcre2
from pcre2 import _cy  # below the package's surface: matching takes a third of the time

from eximious.errors import ExpandError
from eximious.taint import Tainted

_NO_CONTEXT: Final = _cy.create_match_context()
_span: Final = _cy.match_substring_span_bynumber

MOST_CACHED: Final = 1024  # compiled patterns
MOST_CAPTURES: Final = 10  # $0 to $9


@final
class Pattern:
    """A compiled regular expression."""

    __slots__ = ("_code", "_compiled", "_numbers", "groups")

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._code = compiled._pcre2_code
        self.groups: int = compiled.groups
        self._numbers = range(min(self.groups + 1, MOST_CAPTURES))

    def search(self, text: str) -> list[str] | None:
        """What becomes ``$0`` and so on if the pattern matches somewhere, else None. Raises ExpandError."""
        octets = text.encode("latin-1")
        data = self._match(octets)
        if data is None:
            return None
        found: list[str] = []
        for number in self._numbers:
            start, end = _span(data, octets, number)
            found.append(text[start:end] if start >= 0 else "")
        return found if text.__class__ is str else [Tainted(part) for part in found]

    def matches(self, text: str) -> bool:
        """True if the pattern matches somewhere. Raises ExpandError."""
        return self._match(text.encode("latin-1")) is not None

    def _match(self, octets: bytes) -> Any:
        try:
            return _cy.match(self._code, octets, len(octets), 0, _NO_CONTEXT, 0)[0]
        except pcre2.LibraryError as error:
            raise ExpandError(f"regular expression could not be matched: {error}") from None

    def find(self, text: str, start: int) -> Any:
        """PCRE2's match from `start` on, or None. Raises ExpandError if it takes too much of time or memory."""
        try:
            return self._compiled.search(text.encode("latin-1"), start)
        except pcre2.LibraryError as error:
            raise ExpandError(f"regular expression could not be matched: {error}") from None


def captures(found: Any, groups: int, tainted: bool) -> list[str]:
    """The texts of a match's groups, the whole one first; a group that took no part is empty."""
    texts = [(found[group] or b"").decode("latin-1") for group in range(min(groups + 1, MOST_CAPTURES))]
    return [Tainted(text) for text in texts] if tainted else texts


_cache: dict[tuple[str, bool], Pattern] = {}


def compile(pattern: str, *, caseless: bool = False) -> Pattern:
    """The compiled pattern. Raises ExpandError with Exim's words if it cannot be compiled."""
    key = (pattern, caseless)
    found = _cache.get(key)
    if found is None:
        found = _compile(pattern, caseless)
        if len(_cache) >= MOST_CACHED:
            _cache.clear()
        _cache[key] = found
    return found


def _compile(pattern: str, caseless: bool) -> Pattern:
    flags = pcre2.IGNORECASE if caseless else pcre2.NOFLAG
    try:
        return Pattern(pcre2.compile(pattern.encode("latin-1"), flags))
    except pcre2.PatternError as error:
        words = str(error).partition("; ")[2] or str(error)
        raise ExpandError(f'regular expression error in "{pattern}": {words} at offset {error.pos}') from None

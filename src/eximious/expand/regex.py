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

    __slots__ = ("_code", "_numbers")

    def __init__(self, compiled: Any) -> None:
        self._code = compiled._pcre2_code
        self._numbers = range(min(compiled.groups + 1, MOST_CAPTURES))

    def search(self, text: str) -> list[str] | None:
        """What becomes ``$0`` and so on if the pattern matches somewhere, else None. Raises ExpandError."""
        spans = self.spans(text.encode("latin-1"), 0)
        return None if spans is None else captures(text, spans)

    def spans(self, octets: bytes, start: int) -> list[tuple[int, int]] | None:
        """Where the first match from `start` on is, and what its groups caught (-1: nothing); None without a match.

        Raises ExpandError if it takes too much of time or memory.
        """
        data = self._match(octets, start)
        return None if data is None else [_span(data, octets, number) for number in self._numbers]

    def matches(self, text: str) -> bool:
        """True if the pattern matches somewhere. Raises ExpandError."""
        return self._match(text.encode("latin-1"), 0) is not None

    def _match(self, octets: bytes, start: int) -> Any:
        try:
            return _cy.match(self._code, octets, len(octets), start, _NO_CONTEXT, 0)[0]
        except pcre2.LibraryError as error:
            raise ExpandError(f"regular expression could not be matched: {error}") from None


def captures(text: str, spans: list[tuple[int, int]]) -> list[str]:
    """The texts of a match and its groups; a group that took no part is empty."""
    found = [text[start:end] if start >= 0 else "" for start, end in spans]
    return found if text.__class__ is str else [Tainted(part) for part in found]


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

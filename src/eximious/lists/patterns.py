"""Patterns that lists of domains, of local parts and of addresses share: literal text, ``*end``, ``^regex``, lookups.

Their subject is a `Text`: what is looked for as it was written and in lower case, of which a pattern takes what suits
its own attitude to case. On success ``$0`` is the text, and ``$1`` and so on what a wildcard or a group stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from eximious.errors import ExpandError
from eximious.expand.regex import Pattern as Regex
from eximious.expand.regex import compile as compile_regex
from eximious.lists.base import SET_FROM, Item, Matched, Pattern
from eximious.lookups.base import LookupSpec, UnusableLookup, parse_spec
from eximious.octets import lower
from eximious.taint import Tainted, alike

if TYPE_CHECKING:
    from eximious.context import Context


@final
class Text:
    """The subject of a list."""

    __slots__ = ("lowered", "written")

    def __init__(self, written: str, lowered: str) -> None:
        self.written = written
        self.lowered = lowered

    @property
    def key(self) -> str:
        """Under which the verdict of a named list is kept."""
        return self.written


def text(written: str) -> Text:
    """The subject for a text; both forms are as tainted as it is."""
    lowered = lower(written)
    if written.__class__ is Tainted:
        lowered = Tainted(lowered)
    return Text(written, lowered)


@final
class Literal(Pattern):
    """The very text, whatever the case of letters unless `is_caseful`."""

    __slots__ = ("is_caseful", "matched", "wanted")

    def __init__(self, wanted: str, is_caseful: bool) -> None:
        self.matched = Matched(wanted)
        self.wanted = wanted if is_caseful else lower(wanted)
        self.is_caseful = is_caseful

    def test(self, subject: Text, context: Context) -> Matched | None:
        whole = subject.written if self.is_caseful else subject.lowered
        if whole != self.wanted:
            return None
        context.captures = [whole]
        return self.matched


@final
class LiteralSet(Pattern):
    """Several literal texts, none of them negated, that stand in a row."""

    __slots__ = ("is_caseful", "wanted")

    def __init__(self, literals: Sequence[Literal]) -> None:
        self.is_caseful = literals[0].is_caseful
        self.wanted: dict[str, Matched] = {}
        for literal in literals:
            self.wanted.setdefault(literal.wanted, literal.matched)

    def test(self, subject: Text, context: Context) -> Matched | None:
        whole = subject.written if self.is_caseful else subject.lowered
        found = self.wanted.get(whole)
        if found is not None:
            context.captures = [whole]
        return found


@final
class Suffix(Pattern):
    """``*end``: whatever ends so."""

    __slots__ = ("end", "is_caseful", "matched")

    def __init__(self, written: str, is_caseful: bool) -> None:
        self.matched = Matched(written)
        self.end = written[1:] if is_caseful else lower(written[1:])
        self.is_caseful = is_caseful

    def test(self, subject: Text, context: Context) -> Matched | None:
        whole = subject.written if self.is_caseful else subject.lowered
        if not whole.endswith(self.end):
            return None
        wild = whole[: len(whole) - len(self.end)]
        if subject.written.__class__ is Tainted:
            context.captures = [Tainted(whole), Tainted(wild)]
        else:
            context.captures = [whole, wild]
        return self.matched


@final
class RegexPattern(Pattern):
    """``^...``: a regular expression."""

    __slots__ = ("matched", "regex")

    def __init__(self, written: str, is_caseful: bool) -> None:
        self.matched = Matched(written)
        self.regex: Regex = compile_regex(written, caseless=not is_caseful)

    def test(self, subject: Text, context: Context) -> Matched | None:
        found = self.regex.search(subject.written)
        if found is None:
            return None
        found[0] = subject.written
        context.captures = found
        return self.matched


@final
class LookupPattern(Pattern):
    """``type;source``: what a lookup finds, of which the subject is the key."""

    __slots__ = ("is_caseful", "source", "spec")

    def __init__(self, spec: LookupSpec, source: str, is_caseful: bool) -> None:
        self.spec = spec
        self.source = source
        self.is_caseful = is_caseful

    def test(self, subject: Text, context: Context) -> Matched | None:
        key = subject.written if self.is_caseful else subject.lowered
        captures, context.captures = context.captures, [key]
        found = self.spec.find_in_list(context, self.source, key if self.spec.is_single_key else None)
        if found is None:
            context.captures = captures
            return None
        if not context.captures[0]:
            context.captures[0] = key
        return Matched(found)


def lookup_of(text: str) -> tuple[LookupSpec, str] | None:
    """The lookup that an item of the form ``type;source`` names, and its source; None for an item of another form.

    Raises UnusableLookup for an unknown type.
    """
    kind, semicolon, source = text.partition(";")
    if not semicolon:
        return None
    spec = parse_spec(kind.rstrip(" \t"))
    source = source.lstrip(" \t\n\r\f\v")
    return spec, alike(source, text)


def usual_pattern(text: str, is_caseful: bool) -> Pattern:
    """What an item means if it is nothing that only one kind of list has. Raises ExpandError."""
    if text.startswith("^"):
        return _regex(text, is_caseful)
    if text.startswith("*"):
        return Suffix(text, is_caseful)
    try:
        looked_up = lookup_of(text)
    except UnusableLookup as error:
        raise ExpandError(error.message) from None
    if looked_up is not None:
        return LookupPattern(*looked_up, is_caseful)
    return Literal(text, is_caseful)


def _regex(text: str, is_caseful: bool) -> RegexPattern:
    try:
        return RegexPattern(text, is_caseful)
    except ExpandError as error:
        words = str(error).partition('": ')[2]
        raise ExpandError(f"regular expression error: {words} while compiling {text}") from None


def with_sets(items: list[Item]) -> list[Item]:
    """The items, with literals that stand in a row put into one set each."""
    result: list[Item] = []
    row: list[Item] = []
    for item in [*items, None]:
        if item is not None and _belongs(item, row):
            row.append(item)
            continue
        result += _row(row)
        row = [item] if item is not None and _belongs(item, []) else []
        if item is not None and not row:
            result.append(item)
    return result


def _belongs(item: Item, row: list[Item]) -> bool:
    """True if the item is a literal that may join the row."""
    pattern = item.pattern
    if not isinstance(pattern, Literal) or item.is_negated:
        return False
    return not row or row[0].pattern.is_caseful == pattern.is_caseful  # type: ignore[union-attr]


def _row(row: list[Item]) -> list[Item]:
    if len(row) < SET_FROM:
        return row
    literals = [item.pattern for item in row if isinstance(item.pattern, Literal)]
    return [Item(row[0].text, LiteralSet(literals), False, "", row[0].policy)]

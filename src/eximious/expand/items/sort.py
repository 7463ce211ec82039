"""``${sort``: a list in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

from eximious.errors import ExpandError, ForcedFail
from eximious.expand.fault import Fault
from eximious.expand.item import syntax
from eximious.expand.nodes import Node
from eximious.expand.numbers import integer
from eximious.lists.split import join, split_with_separator
from eximious.octets import lower
from eximious.taint import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.context import Context
    from eximious.expand.parse import Parser


def _number(text: str) -> tuple[int, int]:
    """Numbers in their order; what is none comes after them."""
    try:
        return 0, integer(text)
    except ExpandError:
        return 1, 0


# Comparator -> how the texts are compared, and whether larger ones come first.
_COMPARATORS: Final[dict[str, tuple[Callable[[str], Any], bool]]] = {
    "<": (_number, False),
    "<=": (_number, False),
    ">": (_number, True),
    ">=": (_number, True),
    "lt": (str, False),
    "le": (str, False),
    "gt": (str, True),
    "ge": (str, True),
    "lti": (lower, False),
    "lei": (lower, False),
    "gti": (lower, True),
    "gei": (lower, True),
}
MOST_INSERTED: Final = 2000  # items of a list with empty ones
_TURNS_EQUALS: Final = frozenset({"<=", ">=", "le", "ge", "lei", "gei"})


@final
class Sort(Node):
    """The items of a list, ordered by what an extractor makes of them.

    Of two equal ones the first comes first, unless the comparator holds for equals: then it puts each before the last.
    """

    __slots__ = ("comparator", "extractor", "extractor_text", "source")

    def __init__(self, source: Node, comparator: str, extractor: Node, extractor_text: str) -> None:
        self.source = source
        self.comparator = comparator
        self.extractor = extractor
        self.extractor_text = extractor_text

    def evaluate(self, context: Context) -> str:
        source = self.source.evaluate(context)
        separator, items = split_with_separator(source)
        convert, largest_first = _COMPARATORS[self.comparator]
        keyed = [(convert(key), item) for key, item in zip(self._keys(items, context), items, strict=True)]
        if "" in items:
            keyed = self._inserted(keyed, largest_first)
        else:
            if self.comparator in _TURNS_EQUALS:
                keyed.reverse()
            keyed.sort(key=lambda pair: pair[0], reverse=largest_first)
        result = join([item for _, item in keyed], separator)
        if keyed and not keyed[0][1]:
            result = " " + result
        return Tainted(result) if source.__class__ is Tainted else result

    def _inserted(self, keyed: list[tuple[Any, str]], largest_first: bool) -> list[tuple[Any, str]]:
        """The pairs in order, one put in after the other: an empty item that is the last meanwhile is lost."""
        done: list[tuple[Any, str]] = []
        for key, item in keyed[:MOST_INSERTED]:
            if done and not done[-1][1]:
                done.pop()
            place = next((n for n, (other, _) in enumerate(done) if self._precedes(key, other, largest_first)), None)
            done.insert(len(done) if place is None else place, (key, item))
        return done

    def _precedes(self, one: Any, other: Any, largest_first: bool) -> bool:
        if one == other:
            return self.comparator in _TURNS_EQUALS
        return bool((one > other) is largest_first)

    def _keys(self, items: list[str], context: Context) -> list[str]:
        saved = context.item
        keys = []
        try:
            for item in items:
                context.item = item
                key = self.extractor.evaluate(context)
                if not key:
                    raise ExpandError(f'field-extract in sort: "{self.extractor_text}"')
                keys.append(key)
        except ForcedFail:
            raise ExpandError(f'field-extract in sort: "{self.extractor_text}"') from None
        finally:
            context.item = saved
        return keys


@syntax("sort")
def parse_sort(parser: Parser, name: str) -> Node:
    """``${sort{list}{comparator}{extractor}}``."""
    source = parser.argument("missing '{' for list arg of sort")
    comparator = _comparator(parser)
    parser.skip_space()
    start = parser.at + 1
    extractor = parser.argument("missing '{' for extractor arg of sort")
    extractor_text = parser.text[start : parser.at - 1]
    parser.expect("}", 'missing } at end of "sort"')
    return Sort(source, comparator, extractor, extractor_text)


def _comparator(parser: Parser) -> str:
    """The name of a condition, in braces."""
    parser.expect("{", "missing '{' for comparator arg of sort")
    start = parser.at
    name = parser.braced_literal().strip(" \t\n\r\f\v")
    if name in _COMPARATORS:
        return name
    if not name or not (name.isidentifier() or name[0] in "<>="):
        raise Fault(f'condition name expected, but found "{name}"', start)
    raise Fault("comparator not handled for sort", start)

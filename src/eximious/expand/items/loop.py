"""``${map``, ``${filter`` and ``${reduce``: the items of a list, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from eximious.errors import Defer, ExpandError
from eximious.expand.condition import Condition, add_words, parse_part
from eximious.expand.fault import Fault
from eximious.expand.item import syntax
from eximious.expand.nodes import LONGEST_RESULT, Node
from eximious.lists.split import join, split_with_separator
from eximious.taint import Tainted, made_of

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser


MOST_WRITTEN: Final = 8 * 1024**3  # octets of all values that a reduce has in turn: about a second


@final
class Map(Node):
    """A list of what each item becomes."""

    __slots__ = ("source", "text")

    def __init__(self, source: Node, text: Node) -> None:
        self.source = source
        self.text = text

    def evaluate(self, context: Context) -> str:
        source = self.source.evaluate(context)
        separator, items = split_with_separator(source)
        saved = context.item
        tainted = False  # as what the items become, whatever they were
        texts: list[str] = []
        size = 0
        try:
            for item in items:
                context.item = item
                text = self.text.evaluate(context)
                tainted = tainted or text.__class__ is Tainted
                size = _grown(size, text)
                texts.append(text)
        except (ExpandError, Defer) as error:
            add_words(error, ' inside "map" item')
            raise
        finally:
            context.item = saved
        result = join(texts, separator)
        return made_of(result, texts) if tainted else result


@final
class Filter(Node):
    """A list of those items for which a condition holds."""

    __slots__ = ("condition", "source")

    def __init__(self, source: Node, condition: Condition) -> None:
        self.source = source
        self.condition = condition

    def evaluate(self, context: Context) -> str:
        source = self.source.evaluate(context)
        separator, items = split_with_separator(source)
        saved = context.item
        kept: list[str] = []
        try:
            for item in items:
                context.item = item
                if self.condition.holds(context):
                    kept.append(item)
        except (ExpandError, Defer) as error:
            add_words(error, ' inside "filter" condition')
            raise
        finally:
            context.item = saved
        result = join(kept, separator)
        return Tainted(result) if source.__class__ is Tainted else result


@final
class Reduce(Node):
    """A value that each item changes in its turn."""

    __slots__ = ("source", "start", "text")

    def __init__(self, source: Node, start: Node, text: Node) -> None:
        self.source = source
        self.start = start
        self.text = text

    def evaluate(self, context: Context) -> str:
        source = self.source.evaluate(context)
        value = self.start.evaluate(context)
        _, items = split_with_separator(source)
        saved_item, saved_value = context.item, context.lookup_value
        written = 0
        try:
            context.lookup_value = value
            for item in items:
                context.item = item
                value = self.text.evaluate(context)
                written += _grown(0, value)
                if written > MOST_WRITTEN:
                    raise ExpandError("the values of the expansion are too long")
                context.lookup_value = value
        except (ExpandError, Defer) as error:
            add_words(error, ' inside "reduce" item')
            raise
        finally:
            context.item, context.lookup_value = saved_item, saved_value
        return value


def _grown(size: int, text: str) -> int:
    size += len(text) + 1
    if size > LONGEST_RESULT:
        raise ExpandError("the expanded string is too long")
    return size


def _end(parser: Parser, name: str) -> None:
    parser.expect("}", f'missing }} at end of "{name}"')


def _text(parser: Parser, name: str) -> Node:
    """What is evaluated for each item."""
    parser.expect("{", f"missing '{{' for last arg of {name}")
    try:
        return parser.braced()
    except Fault as fault:
        raise Fault(f'{fault.message} inside "{name}" item', fault.position, fault.hint) from None


@syntax("map")
def parse_map(parser: Parser, name: str) -> Node:
    """``${map{list}{text}}``."""
    source = parser.argument(f"missing '{{' for first arg of {name}")
    text = _text(parser, name)
    _end(parser, name)
    return Map(source, text)


@syntax("reduce")
def parse_reduce(parser: Parser, name: str) -> Node:
    """``${reduce{list}{start}{text}}``."""
    source = parser.argument(f"missing '{{' for first arg of {name}")
    start = parser.argument("missing '{' for second arg of reduce")
    text = _text(parser, name)
    _end(parser, name)
    return Reduce(source, start, text)


@syntax("filter")
def parse_filter(parser: Parser, name: str) -> Node:
    """``${filter{list}{condition}}``."""
    source = parser.argument(f"missing '{{' for first arg of {name}")
    parser.expect("{", f"missing '{{' for last arg of {name}")
    condition = parse_part(parser, f' inside "{name}" item')
    if parser.skip_space() != "}":
        message = (
            f'missing }} at end of condition or expression inside "{name}"; could be an unquoted }} in the content'
        )
        raise Fault(message, parser.at)
    parser.at += 1
    _end(parser, name)
    return Filter(source, condition)

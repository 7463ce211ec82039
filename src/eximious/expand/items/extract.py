"""``${extract`` and ``${listextract``: one field of many; ``${listquote``: a text as an item of a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, final

from eximious.errors import ExpandError
from eximious.expand.fault import Fault
from eximious.expand.item import item, syntax
from eximious.expand.nodes import Choice, Failure, Literal, Node
from eximious.lists.split import quote_item, split
from eximious.octets import SPACE
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser

_NUMBER = re.compile(r"[ \t\n\r\f\v]*(-?[0-9]+)[ \t\n\r\f\v]*\Z")
_PAIR = re.compile(
    r'[ \t\n\r\f\v]*+([^= \t\n\r\f\v]*+)[ \t\n\r\f\v]*+=[ \t\n\r\f\v]*+("(?:[^"\\]|\\.)*+"?|[^ \t\n\r\f\v]*+)'
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def _like(source: str, found: str | None) -> str | None:
    return Tainted(found) if found is not None and source.__class__ is Tainted else found


@final
class ExtractNamed(Choice):
    """The value that belongs to a name in ``name=value name="value" ...``, or the field of a number.

    Which of the two it is depends on the first string: digits mean that a string with separators follows.
    """

    __slots__ = ("key", "source")

    def __init__(self, key: Node, source: Node, yes: Node | None, no: Node) -> None:
        super().__init__(yes, no)
        self.key = key
        self.source = source

    def find(self, context: Context) -> str | None:
        key = self.key.evaluate(context).strip(SPACE)
        source = self.source.evaluate(context)
        if not key:
            raise ExpandError('first argument of "extract" must not be empty')
        return _like(source, named_value(source, key))


@final
class ExtractNumbered(Choice):
    """The field of a number in a string of fields with separators between."""

    __slots__ = ("number", "separators", "source")

    def __init__(self, number: Node, separators: Node, source: Node, yes: Node | None, no: Node) -> None:
        super().__init__(yes, no)
        self.number = number
        self.separators = separators
        self.source = source

    def find(self, context: Context) -> str | None:
        number = int(self.number.evaluate(context).strip(SPACE)[:12])
        separators = self.separators.evaluate(context)
        source = self.source.evaluate(context)
        return _like(source, field(source, number, separators))


@final
class ExtractJson(Choice):
    """A member of a JSON object, or an element of a JSON array."""

    __slots__ = ("key", "source", "strips")

    def __init__(self, key: Node, source: Node, strips: bool, yes: Node | None, no: Node) -> None:
        super().__init__(yes, no)
        self.key = key
        self.source = source
        self.strips = strips

    def find(self, context: Context) -> str | None:
        from eximious.expand.json_text import array_items, object_members, unquoted

        key = self.key.evaluate(context).strip(SPACE)
        source = self.source.evaluate(context)
        if not key:
            raise ExpandError('first argument of "extract" must not be empty')
        found: str | None = None
        if _NUMBER.match(key):
            items = [item.rstrip(SPACE) for item in array_items(source)]
            if int(key[:12]) <= 0:
                raise ExpandError('first argument of "extract" must be greater than zero')
            found = _nth(items, int(key[:12]))
        else:
            found = next((value for name, value in object_members(source) if name == key), None)
        if found is not None and self.strips:
            found = unquoted(found)
        return _like(source, found)


@final
class ListExtract(Choice):
    """The item of a number in a list."""

    __slots__ = ("number", "source")

    def __init__(self, number: Node, source: Node, yes: Node | None, no: Node) -> None:
        super().__init__(yes, no)
        self.number = number
        self.source = source

    def find(self, context: Context) -> str | None:
        number = self.number.evaluate(context)
        source = self.source.evaluate(context)
        if complaint := _bad_number(number):
            raise ExpandError(complaint)
        return _nth(split(source), int(number.strip(SPACE)[:12]))


def _bad_number(text: str) -> str:
    """What is wrong with the number of an item; "" if nothing is."""
    if not text.strip(SPACE):
        return 'first argument of "listextract" must not be empty'
    return "" if _NUMBER.match(text) else 'first argument of "listextract" must be numeric'


def _nth(items: list[str], number: int) -> str | None:
    """The item of that number, counted from 1, or from the end if it is negative."""
    if number > 0:
        return items[number - 1] if number <= len(items) else None
    return items[number] if number and -number <= len(items) else None


def named_value(text: str, key: str) -> str | None:
    """The value of a name, whatever the case of its letters, in ``name=value`` pairs with white space between."""
    wanted = key.lower()
    at = 0
    while (found := _PAIR.match(text, at)) is not None:
        at = found.end()
        if found[1].lower() == wanted:
            value = found[2]
            return _ESCAPE.sub(r"\1", value[1:].removesuffix('"')) if value.startswith('"') else value
    return None


def field(text: str, number: int, separators: str) -> str | None:
    """The field of that number; 0 is all of the text, a negative number counts from the end."""
    if number == 0:
        return text
    fields = re.split(f"[{re.escape(separators)}]", text) if separators else [text]
    return _nth(fields, number)


@syntax("extract")
def parse_extract(parser: Parser, name: str) -> Node:
    """``${extract{name}{text}...}``, ``${extract{number}{separators}{text}...}``, ``${extract json{key}{text}...}``."""
    form = ""
    if parser.skip_space() != "{":
        for word in ("jsons", "json"):
            if parser.text.startswith(word, parser.at) and parser.text[parser.at + len(word)] in "{ \t\n":
                form = word
                parser.at += len(word)
                break
    key = parser.argument("missing '{' for arg 1 of extract")
    if key.constant is not None and not key.constant.strip(SPACE):
        raise Fault('first argument of "extract" must not be empty', parser.at)
    second = parser.argument("missing '{' for arg 2 of extract")
    if form:
        yes, no = parser.branches(name)
        return ExtractJson(key, second, form == "jsons", yes, no)
    if key.constant is None:
        return _parse_either(parser, name, key, second)
    parse = _parse_named if _NUMBER.match(key.constant) is None else _parse_numbered
    return parse(parser, name, second)(key)


@final
class ExtractEither(Node):
    """An item whose first string, which tells how to read the others, is only known when it is expanded."""

    __slots__ = ("key", "named", "numbered")

    def __init__(self, key: Node, named: Callable[[Node], Node], numbered: Callable[[Node], Node]) -> None:
        self.key = key
        self.named = named
        self.numbered = numbered

    def evaluate(self, context: Context) -> str:
        key = self.key.evaluate(context)
        make = self.named if _NUMBER.match(key) is None else self.numbered
        return make(Literal(key)).evaluate(context)


def _parse_either(parser: Parser, name: str, key: Node, second: Node) -> Node:
    """Read what follows the second string in both ways: a number takes one string more."""
    start, depth = parser.at, parser.depth
    if parser.read is None:
        parser.read = {}
    readings: list[Callable[[Node], Node]] = []
    faults: list[Fault] = []
    end = start
    for parse in (_parse_named, _parse_numbered):
        parser.at, parser.depth = start, depth
        try:
            readings.append(parse(parser, name, second))
            end = parser.at
        except Fault as fault:
            readings.append(partial(_failing, fault.message))
            faults.append(fault)
    if len(faults) == 2:
        raise faults[0]
    parser.at, parser.depth = end, depth
    return ExtractEither(key, *readings)


def _parse_named(parser: Parser, name: str, source: Node) -> Callable[[Node], Node]:
    yes, no = parser.branches(name)
    return partial(ExtractNamed, source=source, yes=yes, no=no)


def _parse_numbered(parser: Parser, name: str, separators: Node) -> Callable[[Node], Node]:
    source = parser.argument("missing '{' for arg 3 of extract")
    yes, no = parser.branches(name)
    return partial(ExtractNumbered, separators=separators, source=source, yes=yes, no=no)


def _failing(message: str, key: Node) -> Node:
    return Failure(message)


@syntax("listextract")
def parse_listextract(parser: Parser, name: str) -> Node:
    """``${listextract{number}{list}{yes}{no}}``."""
    number = parser.argument("missing '{' for arg 1 of listextract")
    if number.constant is not None and (complaint := _bad_number(number.constant)):
        raise Fault(complaint, parser.at)
    source = parser.argument("missing '{' for arg 2 of listextract")
    yes, no = parser.branches(name)
    return ListExtract(number, source, yes, no)


@item("listquote", 2)
def listquote(separator: str, text: str) -> str:
    """The text with the separator doubled."""
    return (quote_item(text, separator[:1]) if separator else text) or " "

"""``def:variable``: is it set?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

from eximious.errors import did_you_mean
from eximious.expand.condition import Condition, syntax
from eximious.expand.fault import Fault
from eximious.expand.header import HeaderValue
from eximious.expand.nodes import Node

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser

_HEADER = re.compile(r"(?:r|l|b)?h(?:eader)?_")


@final
class Defined(Condition):
    """The variable has a value that is not empty."""

    __slots__ = ("variable",)

    def __init__(self, variable: Node) -> None:
        self.variable = variable

    def holds(self, context: Context) -> bool:
        return self.variable.evaluate(context) != ""


@final
class HeaderPresent(Condition):
    """There is a header of that name."""

    __slots__ = ("header",)

    def __init__(self, header: HeaderValue) -> None:
        self.header = header

    def holds(self, context: Context) -> bool:
        return self.header.is_present(context)


@syntax("def")
def parse_defined(parser: Parser, name: str) -> Condition:
    """A variable, without the dollar sign, or a header as ``h_name:``."""
    from eximious.expand.variable import acl_hint, find_variable, known_names

    text = parser.text
    if text[parser.at : parser.at + 1] != ":":
        raise Fault('":" expected after "def"', parser.at)
    parser.at += 1
    start = parser.at
    if header := _HEADER.match(text, parser.at):
        parser.at = header.end()
        return HeaderPresent(HeaderValue("", _header_name(parser)))
    word = parser.word()
    if not word:
        raise Fault('variable name omitted after "def:"', start)
    variable = find_variable(word)
    if variable is None:
        message = f'unknown variable "{word}" after "def:"{acl_hint(word)}'
        raise Fault(message, start, did_you_mean(word, known_names()))
    if variable.warning:
        parser.warnings.append(Fault(variable.warning, start))
    return Defined(variable)


def _header_name(parser: Parser) -> str:
    name = parser.header_name()
    if not parser.text[parser.at : parser.at + 1] and "{" in name:
        message = "missing or misplaced { or } - could be header name not terminated by colon"
        raise Fault(message, parser.at)
    return name

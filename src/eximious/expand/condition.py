"""Conditions of ``${if``: how they are registered, read and tested."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar, final

from eximious.errors import did_you_mean
from eximious.expand.fault import Fault
from eximious.expand.nodes import Literal, Node
from eximious.expand.parse import PLAIN, SPACE, plain_text
from eximious.registry import Registry

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser

F = TypeVar("F", bound=Callable[..., object])


class Condition:
    """Something that holds or does not."""

    __slots__ = ()

    def holds(self, context: Context) -> bool:
        """True if so. Raises ExpandError, ForcedFail or Defer."""
        raise NotImplementedError


@final
class Not(Condition):
    """The opposite."""

    __slots__ = ("condition",)

    def __init__(self, condition: Condition) -> None:
        self.condition = condition

    def holds(self, context: Context) -> bool:
        return not self.condition.holds(context)


@final
class Test(Condition):
    """A condition that is a function of texts."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: Callable[..., bool], *arguments: Node) -> None:
        self.function = function
        self.arguments = arguments

    def holds(self, context: Context) -> bool:
        return self.function(*[argument.evaluate(context) for argument in self.arguments])


@final
class ContextTest(Condition):
    """The same, for a function that also wants the context."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: Callable[..., bool], *arguments: Node) -> None:
        self.function = function
        self.arguments = arguments

    def holds(self, context: Context) -> bool:
        return self.function(context, *[argument.evaluate(context) for argument in self.arguments])


class Syntax:
    """How a condition is read.

    Most take `count` strings, of which `build` makes the condition; for the others `parse(parser, name)` reads what
    follows their name.
    """

    __slots__ = ("build", "count", "doc", "parse")

    def __init__(
        self,
        doc: str,
        count: int,
        build: Callable[..., Condition] | None,
        parse: Callable[[Parser, str], Condition] | None = None,
    ) -> None:
        self.doc = doc
        self.count = count
        self.build = build
        self.parse = parse


_MODULES = {
    "<": "number",
    "<=": "number",
    "=": "number",
    "==": "number",
    ">": "number",
    ">=": "number",
    "acl": "acl",
    "and": "logic",
    "bool": "boolean",
    "bool_lax": "boolean",
    "crypteq": "crypteq",
    "def": "defined",
    "eq": "text",
    "eqi": "text",
    "exists": "exists",
    "first_delivery": "state",
    "forall": "forany",
    "forall_json": "forany",
    "forall_jsons": "forany",
    "forany": "forany",
    "forany_json": "forany",
    "forany_jsons": "forany",
    "ge": "text",
    "gei": "text",
    "gt": "text",
    "gti": "text",
    "inbound_srs": "srs",
    "inlist": "inlist",
    "inlisti": "inlist",
    "isip": "ip",
    "isip4": "ip",
    "isip6": "ip",
    "ldapauth": "ldapauth",
    "le": "text",
    "lei": "text",
    "lt": "text",
    "lti": "text",
    "match": "match",
    "match_address": "match_list",
    "match_domain": "match_list",
    "match_ip": "match_list",
    "match_local_part": "match_list",
    "or": "logic",
    "pam": "pam",
    "pwcheck": "refused",
    "queue_running": "state",
    "radius": "refused",
    "saslauthd": "saslauthd",
}

# A condition's name, and up to two arguments in which nothing is expanded.
_BEGINNING = re.compile(rf"{SPACE}([A-Za-z][A-Za-z0-9_]*+|[=<>]=?+)(?:{SPACE}{PLAIN}(?:{SPACE}{PLAIN})?+)?+")

conditions: Registry[Syntax] = Registry("eximious.expand.conditions", "expansion condition", _MODULES)


def condition(name: str, count: int) -> Callable[[F], F]:
    """Decorator: the function tells whether the condition holds, from the texts of its `count` arguments.

    A function whose first parameter is called `context` gets the context too.
    """

    def decorate(function: F) -> F:
        wants_context = function.__code__.co_varnames[:1] == ("context",)
        test: Callable[..., Condition] = ContextTest if wants_context else Test
        conditions.register(name)(Syntax(function.__doc__ or "", count, partial(test, function)))
        return function

    return decorate


def builder(name: str, count: int) -> Callable[[F], F]:
    """Decorator: the function (or class) makes the condition from the nodes of its `count` arguments."""

    def decorate(function: F) -> F:
        conditions.register(name)(Syntax(function.__doc__ or "", count, function))  # type: ignore[arg-type]
        return function

    return decorate


def syntax(*names: str) -> Callable[[F], F]:
    """Decorator: the function reads the condition with the parser and gives its node."""

    def decorate(function: F) -> F:
        conditions.register(*names)(Syntax(function.__doc__ or "", 0, None, function))  # type: ignore[arg-type]
        return function

    return decorate


def _arguments(parser: Parser, name: str, count: int) -> list[Node]:
    """The strings in braces that follow a condition's name."""
    found: list[Node] = []
    for _ in range(count):
        parser.expect("{", missing_argument(name, len(found)))
        found.append(parser.braced())
    return found


def missing_argument(name: str, index: int) -> str:
    """What Exim says where an argument of a condition should be."""
    return f'missing 2nd string in {{}} after "{name}"' if index else f'missing {{ after "{name}"'


def parse_part(parser: Parser, words: str) -> Condition:
    """A condition that is part of something; the words, which name that, are added to complaints."""
    parser.enter()
    try:
        parsed = parse_condition(parser)
    except Fault as fault:
        raise Fault(fault.message + words, fault.position, fault.hint) from None
    parser.depth -= 1
    return parsed


def add_words(error: Exception, words: str) -> None:
    """The same for what goes wrong when it is evaluated."""
    error.args = (f"{error}{words}",)


def parse_condition(parser: Parser) -> Condition:
    """The condition that begins here, negations and all."""
    found = _BEGINNING.match(parser.text, parser.at)
    negated = False
    if found is None:
        found, negated = _negation(parser)
    name = found[1]
    syntax = _known.get(name) or _find(name)
    start = found.start(1)
    if syntax is None:
        raise Fault(f'unknown condition "{name}"', start, did_you_mean(name, _MODULES))
    build = syntax.build
    if build is None:
        assert syntax.parse is not None
        parser.at = found.end(1)
        parsed = syntax.parse(parser, name)
    elif syntax.count == 2 and found.lastindex == 3:
        parser.at = found.end()
        parsed = build(Literal(plain_text(found[2])), Literal(plain_text(found[3])))
    else:
        parser.at = found.end(1)
        parsed = build(*_arguments(parser, name, syntax.count))
    if negated:
        parsed = Not(parsed)
    return parsed if parser.on_condition is None else parser.on_condition(parsed, start)


def _negation(parser: Parser) -> tuple[re.Match[str], bool]:
    """The beginning of a condition after exclamation marks, and whether their number is odd."""
    negated = False
    while parser.skip_space() == "!":
        parser.at += 1
        negated = not negated
    found = _BEGINNING.match(parser.text, parser.at)
    if found is None:
        if word := parser.word():
            raise Fault(f'unknown condition "{word}"', parser.at - len(word))
        rest = parser.text[parser.at : parser.at + 16]
        raise Fault(f'condition name expected, but found "{rest}"', parser.at)
    return found, negated


_known: dict[str, Syntax] = {}  # conditions that have been used


def _find(name: str) -> Syntax | None:
    """The condition of that name, whose module is imported; None if there is none."""
    if name not in _MODULES:
        return None
    if not name.isidentifier():
        import eximious.expand.conditions.number  # noqa: F401
    found = conditions.find(name)
    if found is not None:
        _known[name] = found
    return found


def known_conditions() -> list[str]:
    """The names of all conditions."""
    return list(_MODULES)

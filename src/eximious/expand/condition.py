"""Conditions of ``${if``: how they are registered, read and tested."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, final

from eximious.errors import did_you_mean
from eximious.expand.fault import Fault
from eximious.expand.nodes import Literal, Node
from eximious.expand.parse import PLAIN_ARGUMENT
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

    def __init__(self, function: Callable[..., bool], arguments: Sequence[Node]) -> None:
        self.function = function
        self.arguments = tuple(arguments)

    def holds(self, context: Context) -> bool:
        return self.function(*[argument.evaluate(context) for argument in self.arguments])


@final
class ContextTest(Condition):
    """The same, for a function that also wants the context."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: Callable[..., bool], arguments: Sequence[Node]) -> None:
        self.function = function
        self.arguments = tuple(arguments)

    def holds(self, context: Context) -> bool:
        return self.function(context, *[argument.evaluate(context) for argument in self.arguments])


class Syntax:
    """How a condition is read: `parse(parser, name)` reads what follows its name."""

    __slots__ = ("doc", "parse")

    def __init__(self, parse: Callable[[Parser, str], Condition], doc: str) -> None:
        self.parse = parse
        self.doc = doc


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

conditions: Registry[Syntax] = Registry("eximious.expand.conditions", "expansion condition", _MODULES)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*|[=<>]=?")


def condition(name: str, count: int) -> Callable[[F], F]:
    """Decorator: the function tells whether the condition holds, from the texts of its `count` arguments.

    A function whose first parameter is called `context` gets the context too.
    """

    def decorate(function: F) -> F:
        wants_context = function.__code__.co_varnames[:1] == ("context",)
        test: Callable[..., Condition] = ContextTest if wants_context else Test

        def parse(parser: Parser, name: str) -> Condition:
            return test(function, condition_arguments(parser, name, count))

        conditions.register(name)(Syntax(parse, function.__doc__ or ""))
        return function

    return decorate


def syntax(*names: str) -> Callable[[F], F]:
    """Decorator: the function reads the condition with the parser and gives its node."""

    def decorate(function: F) -> F:
        conditions.register(*names)(Syntax(function, function.__doc__ or ""))  # type: ignore[arg-type]
        return function

    return decorate


def condition_arguments(parser: Parser, name: str, count: int) -> list[Node]:
    """The strings in braces that follow a condition's name."""
    found: list[Node] = []
    for _ in range(count):
        plain = PLAIN_ARGUMENT.match(parser.text, parser.at)
        if plain is not None:
            parser.at = plain.end()
            found.append(Literal(plain[1] or plain[2] or ""))
            continue
        if parser.skip_space() != "{":
            raise missing_argument(parser, name, len(found))
        parser.at += 1
        found.append(parser.braced())
    return found


def missing_argument(parser: Parser, name: str, index: int) -> Fault:
    """What Exim says where an argument of a condition should be."""
    if index == 0:
        return Fault(f'missing {{ after "{name}"', parser.at)
    return Fault(f'missing 2nd string in {{}} after "{name}"', parser.at)


def parse_part(parser: Parser, words: str) -> Condition:
    """A condition that is part of something; the words, which name that, are added to complaints."""
    try:
        return parse_condition(parser)
    except Fault as fault:
        raise Fault(fault.message + words, fault.position, fault.hint) from None


def add_words(error: Exception, words: str) -> None:
    """The same for what goes wrong when it is evaluated."""
    error.args = (f"{error}{words}",)


def parse_condition(parser: Parser) -> Condition:
    """The condition that begins here, negations and all."""
    negated = False
    while parser.skip_space() == "!":
        parser.at += 1
        negated = not negated
    start = parser.at
    named = _NAME.match(parser.text, start)
    if named is None:
        rest = parser.text[start : start + 16]
        raise Fault(f'condition name expected, but found "{rest}"', start)
    parser.at = named.end()
    name = named[0]
    found = _known.get(name) or _find(name)
    if found is None:
        raise Fault(f'unknown condition "{name}"', start, did_you_mean(name, _MODULES))
    parsed = found.parse(parser, name)
    if negated:
        parsed = Not(parsed)
    return parsed if parser.on_condition is None else parser.on_condition(parsed, start)


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

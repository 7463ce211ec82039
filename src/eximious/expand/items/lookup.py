"""``${lookup``: files and databases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

from eximious.errors import ExpandError
from eximious.expand.fault import Fault
from eximious.expand.item import syntax
from eximious.expand.nodes import Choice, Literal, Node
from eximious.expand.parse import PLAIN, SPACE, plain_text
from eximious.lookups.base import LookupSpec, UnusableLookup, parse_spec

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser

# A single key, the type, and the file, if nothing in them is expanded.
_PLAIN = re.compile(rf"{SPACE}{PLAIN}{SPACE}([^{{ \t\n\r\f\v]++){SPACE}{PLAIN}")
_TYPE = re.compile(rf"{SPACE}([^{{ \t\n\r\f\v]*+)")


@final
class Lookup(Choice):
    """What a lookup finds. A lookup that cannot be done now makes the expansion fail."""

    __slots__ = ("key", "source", "spec")

    def __init__(self, spec: LookupSpec, key: Node | None, source: Node, yes: Node | None, no: Node) -> None:
        super().__init__(yes, no)
        self.spec = spec
        self.key = key
        self.source = source

    def find(self, context: Context) -> str | None:
        if context.facts.get("forbid_lookup"):
            raise ExpandError("lookup expansions are not permitted")
        key = None if self.key is None else self.key.evaluate(context)
        source = self.source.evaluate(context)
        return self.spec.find(context, source, key)


@syntax("lookup")
def parse_lookup(parser: Parser, name: str) -> Node:
    """``${lookup{key} type {file} {yes}{no}}`` or ``${lookup type {query} {yes}{no}}``."""
    key: Node | None = None
    plain = _PLAIN.match(parser.text, parser.at)
    if plain is not None:
        key = Literal(plain_text(plain[1]))
        parser.at = plain.start(2)
        spec = _spec(parser, plain[2], has_key=True)
        parser.at = plain.end()
        source: Node = Literal(plain_text(plain[3]))
    else:
        if parser.skip_space() == "{":
            parser.at += 1
            key = parser.braced()
        kind = _TYPE.match(parser.text, parser.at)
        assert kind is not None
        parser.at = kind.start(1)
        spec = _spec(parser, kind[1], has_key=key is not None)
        parser.at = kind.end()
        source = parser.argument("missing '{' for lookup file-or-query arg")
    yes, no = parser.branches(name)
    return Lookup(spec, key, source, yes, no)


def _spec(parser: Parser, kind: str, *, has_key: bool) -> LookupSpec:
    """The lookup that is named here; it must be one that takes a key if there is one."""
    if not ("A" <= kind[:1] <= "Z" or "a" <= kind[:1] <= "z"):
        raise Fault("missing lookup type", parser.at)
    try:
        spec = parse_spec(kind)
    except UnusableLookup as error:
        raise Fault(error.message, parser.at, error.hint) from None
    if spec.is_single_key and not has_key:
        raise Fault(f'missing {{key}} for single-key "{kind}" lookup', parser.at)
    if has_key and not spec.is_single_key:
        message = f'a single key was given for lookup type "{kind}", which is not a single-key lookup type'
        raise Fault(message, parser.at)
    return spec

"""``${lookup``: files and databases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

from eximious.errors import ExpandError
from eximious.expand.fault import Fault
from eximious.expand.item import syntax
from eximious.expand.nodes import Choice, Node
from eximious.lookups.base import LookupError, LookupSpec, parse_spec

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser

_TYPE = re.compile(r"[^{ \t\n\r\f\v]*")


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
    if parser.skip_space() == "{":
        parser.at += 1
        key = parser.braced()
    start_of_type = parser.at
    parser.skip_space()
    kind = _type(parser)
    if not kind or kind.startswith("}"):
        raise Fault("missing lookup type", start_of_type)
    try:
        spec = parse_spec(kind)
    except LookupError as error:
        raise Fault(error.message, start_of_type, error.hint) from None
    if spec.is_single_key and key is None:
        raise Fault(f'missing {{key}} for single-key "{kind}" lookup', parser.at)
    if not spec.is_single_key and key is not None:
        message = f'a single key was given for lookup type "{kind}", which is not a single-key lookup type'
        raise Fault(message, parser.at)
    source = parser.argument("missing '{' for lookup file-or-query arg")
    yes, no = parser.branches(name)
    return Lookup(spec, key, source, yes, no)


def _type(parser: Parser) -> str:
    """The word up to the next opening brace or white space."""
    found = _TYPE.match(parser.text, parser.at)
    assert found is not None
    parser.at = found.end()
    return found[0]

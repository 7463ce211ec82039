"""``forany`` and ``forall``: a condition on the items of a list, or of a JSON array."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from eximious.errors import Defer, ExpandError
from eximious.expand.condition import Condition, add_words, missing_argument, parse_part, syntax
from eximious.expand.nodes import Node
from eximious.lists.split import split
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser


@final
class ForEach(Condition):
    """True if the condition holds for one item (`wanted` is True), or for all (False). An empty list never does."""

    __slots__ = ("condition", "form", "name", "source", "wanted")

    def __init__(self, source: Node, condition: Condition, name: str) -> None:
        kind, _, self.form = name.partition("_")  # the form is "", "json" or "jsons"
        self.name = name
        self.source = source
        self.condition = condition
        self.wanted = kind == "forany"

    def holds(self, context: Context) -> bool:
        items = self._items(self.source.evaluate(context))
        saved = context.item
        try:
            for item in items:
                context.item = self._plain(item) if self.form == "jsons" else item
                if self._holds(context) is self.wanted:
                    return self.wanted
        finally:
            context.item = saved
        return not self.wanted if items else False

    def _holds(self, context: Context) -> bool:
        try:
            return self.condition.holds(context)
        except (ExpandError, Defer) as error:
            add_words(error, f' inside "{self.name}" condition')
            raise

    def _items(self, source: str) -> list[str]:
        if not self.form:
            return split(source)
        from eximious.expand.json_text import array_items

        items = array_items(source)
        return [Tainted(item) for item in items] if source.__class__ is Tainted else items

    @staticmethod
    def _plain(item: str) -> str:
        from eximious.expand.json_text import unquoted

        return Tainted(unquoted(item)) if item.__class__ is Tainted else unquoted(item)


@syntax("forany", "forall", "forany_json", "forall_json", "forany_jsons", "forall_jsons")
def parse_for_each(parser: Parser, name: str) -> Condition:
    """``forany{list}{condition}``."""
    parser.expect("{", missing_argument(name, 0))
    source = parser.braced()
    parser.expect("{", missing_argument(name, 0))
    condition = parse_part(parser, f' inside "{name}" condition')
    parser.expect("}", f'missing }} at end of condition inside "{name}"')
    return ForEach(source, condition, name)

"""Plain string lists that are expanded: their items stand for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from eximious.errors import Defer, ExpandError, ForcedFail, Place
from eximious.expand.template import Template
from eximious.expand.template import compile as compile_template
from eximious.lists.base import Matched
from eximious.lists.split import split
from eximious.octets import lower

if TYPE_CHECKING:
    from eximious.context import Context


@final
class StringList:
    """A list of strings."""

    __slots__ = ("_items", "template")

    def __init__(self, template: Template) -> None:
        self.template = template
        self._items = None if template.constant is None else split(template.constant)

    @property
    def source(self) -> str:
        """The list as it is written."""
        return self.template.source

    def items(self, context: Context) -> list[str]:
        """The items. Raises ExpandError, ForcedFail or Defer."""
        return split(self.template.expand(context)) if self._items is None else self._items

    def match(self, text: str, context: Context) -> Matched | None:
        """Is the text on the list, whatever the case of letters? An item may be negated. Raises Defer."""
        try:
            items = self.items(context)
        except ForcedFail:
            return None
        except ExpandError as error:
            raise Defer(f'failed to expand "{self.source}" while checking a list: {error}') from None
        wanted = lower(text)
        is_negated = False
        for item in items:
            is_negated = item.startswith("!")
            name = item[1:].lstrip(" \t") if is_negated else item
            if lower(name) == wanted or name == "*":
                return None if is_negated else Matched(name)
        return Matched() if is_negated else None


def compile(text: str, place: Place | None = None) -> StringList:
    """A list as it stands in a configuration."""
    return StringList(compile_template(text, place))

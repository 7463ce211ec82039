"""Plain string lists that are expanded: their items stand for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from eximious.errors import Place
from eximious.expand.template import Template
from eximious.expand.template import compile as compile_template
from eximious.lists.split import split

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


def compile(text: str, place: Place | None = None) -> StringList:
    """A list as it stands in a configuration."""
    return StringList(compile_template(text, place))

"""Local part lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, final

from eximious.errors import Place
from eximious.expand.template import compile as compile_template
from eximious.lists.base import Item, Matched, MatchList, Pattern
from eximious.lists.final_text import final_texts
from eximious.lists.patterns import text, usual_pattern, with_sets

if TYPE_CHECKING:
    from eximious.context import Context


@final
class LocalPartList(MatchList):
    """A list of local parts. Case does not matter, unless the caller says so or ``+caseful`` stands before an item."""

    __slots__ = ()

    kind = "local part"
    registry = "localpart"
    comments_anywhere = False

    def match(self, local_part: str, context: Context, *, caseful: bool = False) -> Matched | None:
        """Is the local part on the list? `data` is then the value for ``$local_part_data``. Raises Defer."""
        return self.scan(text(local_part), context, caseful)

    def compile_pattern(self, text: str, variant: Any, *, in_file: bool) -> Pattern:
        return usual_pattern(text, bool(variant))

    def variant_word(self, text: str, variant: Any) -> Any:
        return True if text == "+caseful" else None

    def gathered(self, items: list[Item]) -> Sequence[Item]:
        return with_sets(items)


def compile(text: str, place: Place | None = None) -> LocalPartList:
    """A list as it stands in a configuration: expanded each time it is used, unless there is nothing to expand."""
    return LocalPartList(compile_template(text, place))


final_text: Final = final_texts(LocalPartList)

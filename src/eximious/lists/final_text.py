"""Lists whose text has been expanded already."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from eximious.expand.nodes import Literal
from eximious.expand.template import Template

if TYPE_CHECKING:
    from eximious.lists.base import MatchList

L = TypeVar("L", bound="MatchList")

MOST_REMEMBERED: Final = 500  # lists of a kind


def final_texts(kind: type[L]) -> Callable[[str], L]:
    """A function that gives the list of that kind for a text in which nothing is expanded; it remembers lists."""
    known: dict[str, L] = {}

    def final_text(text: str) -> L:
        found = known.get(text)
        if found is None:
            found = kind(Template(text, Literal(text), []))
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            known[text] = found
        return found

    return final_text

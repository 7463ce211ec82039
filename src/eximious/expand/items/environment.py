"""``${env``: variables of the process's environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, final

from eximious.expand.item import syntax
from eximious.expand.nodes import Choice, Node
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser


@final
class Environment(Choice):
    """An environment variable; one that is empty counts as found."""

    __slots__ = ("key",)

    def __init__(self, key: Node, yes: Node | None, no: Node) -> None:
        super().__init__(yes, no)
        self.key = key

    def find(self, context: Context) -> str | None:
        key = self.key.evaluate(context)
        value = os.environb.get(key.encode("latin-1"))
        return None if value is None else Tainted(value.decode("latin-1"))


@syntax("env")
def parse_env(parser: Parser, name: str) -> Node:
    """``${env{name}{yes}{no}}``."""
    key = parser.argument("missing '{' for env arg")
    yes, no = parser.branches(name)
    return Environment(key, yes, no)

"""``acl``: does an ACL accept?"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from eximious.errors import ForcedFail
from eximious.expand.condition import Condition, missing_argument, syntax
from eximious.expand.fault import Fault
from eximious.expand.nodes import Node

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser


@final
class AclAccepts(Condition):
    """An ACL, called with arguments, accepts; ``$value`` is what its ``message`` said."""

    __slots__ = ("arguments",)

    def __init__(self, arguments: list[Node]) -> None:
        self.arguments = arguments

    def holds(self, context: Context) -> bool:
        from eximious.expand.items.call import acl_failure, call_acl

        name, *arguments = [argument.evaluate(context) for argument in self.arguments]
        verdict = call_acl(context, name, arguments)
        context.lookup_value = verdict.user_message or None
        if verdict.result == "accept":
            return True
        if verdict.result == "deny":
            return False
        if verdict.result == "defer":
            raise ForcedFail(f'DEFER from acl "{name}"')
        raise acl_failure(name, verdict)


@syntax("acl")
def parse_acl(parser: Parser, name: str) -> Condition:
    """``acl{{name}{argument}...}``."""
    return AclAccepts(braced_arguments(parser, name, 1, 10))


def braced_arguments(parser: Parser, name: str, least: int, most: int) -> list[Node]:
    """Strings in braces that stand together in another pair of braces."""
    parser.expect("{", missing_argument(name, 0))
    found: list[Node] = []
    while parser.skip_space() == "{":
        if len(found) == most:
            raise Fault(f"Too many arguments for '{name}' (max is {most})", parser.at)
        parser.at += 1
        found.append(parser.braced())
    if len(found) < least or parser.skip_space() != "}":
        raise Fault(f"too few arguments or bracketing error for {name}", parser.at)
    parser.at += 1
    return found

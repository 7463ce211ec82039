"""``match_domain``, ``match_local_part``, ``match_address``, ``match_ip``: is it on a list?

The list is not expanded, only its escapes are interpreted: then what it says cannot depend on anything foreign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from eximious.errors import Defer, ExpandError
from eximious.expand.condition import Condition, missing_argument, syntax
from eximious.expand.ip import ip_version
from eximious.expand.nodes import Node

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser


@final
class MatchList(Condition):
    """The text is on the list; ``$value`` is then what the list has for it."""

    __slots__ = ("items", "source", "subject")

    def __init__(self, subject: Node, items: Any, source: str) -> None:
        self.subject = subject
        self.items = items
        self.source = source

    def holds(self, context: Context) -> bool:
        subject = self.subject.evaluate(context)
        try:
            found = self.items.match(subject, context)
        except Defer as error:
            raise Defer(f'unable to complete match against "{self.source}": {error}') from None
        context.lookup_value = None if found is None else found.data
        return found is not None


@final
class MatchAddress(Condition):
    """The same for an IP address."""

    __slots__ = ("items", "source", "subject")

    def __init__(self, subject: Node, items: Any, source: str) -> None:
        self.subject = subject
        self.items = items
        self.source = source

    def holds(self, context: Context) -> bool:
        subject = self.subject.evaluate(context)
        if subject and ip_version(subject) == 0:
            raise ExpandError(f'"{subject}" is not an IP address')
        try:
            found = self.items.match_address(subject, context)
        except Defer as error:
            raise Defer(f'unable to complete match against "{self.source}": {error}') from None
        context.lookup_value = None if found is None else found.data
        return found is not None


@syntax("match_domain", "match_local_part", "match_address", "match_ip")
def parse_match_list(parser: Parser, name: str) -> Condition:
    """``match_domain{domain}{list}``."""
    parser.expect("{", missing_argument(name, 0))
    subject = parser.braced()
    parser.expect("{", missing_argument(name, 1))
    text = parser.braced_literal()
    if name == "match_ip":
        from eximious.lists import host

        return MatchAddress(subject, host.final_text(text), text)
    if name == "match_domain":
        from eximious.lists import domain

        return MatchList(subject, domain.final_text(text), text)
    if name == "match_address":
        from eximious.lists import address

        return MatchList(subject, address.final_text(text), text)
    from eximious.lists import local_part

    return MatchList(subject, local_part.final_text(text), text)

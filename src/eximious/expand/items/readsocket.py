"""``${readsocket``: what a server answers to a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from eximious.config.lists import split
from eximious.config.numbers import seconds
from eximious.errors import ExpandError
from eximious.expand.fault import Fault
from eximious.expand.item import syntax
from eximious.expand.nodes import Node
from eximious.expand.refusal import refuse_tainted
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.expand.parse import Parser
    from eximious.lookups.sockets import Request

TIMEOUT: Final = 5.0  # seconds, unless the options say otherwise


@final
class ReadSocket(Node):
    """The answer, with its newlines replaced if there is a fourth string; the fifth stands for an error."""

    __slots__ = ("failure", "line_end", "options", "request", "server")

    def __init__(self, arguments: list[Node]) -> None:
        self.server, self.request = arguments[:2]
        self.options = arguments[2] if len(arguments) > 2 else None
        self.line_end = arguments[3] if len(arguments) > 3 else None
        self.failure = arguments[4] if len(arguments) > 4 else None

    def evaluate(self, context: Context) -> str:
        from eximious.lookups.sockets import Request, SocketError, ask

        if context.facts.get("forbid_readsocket"):
            raise ExpandError("socket insertions are not permitted")
        server = self.server.evaluate(context)
        if server.__class__ is Tainted:
            raise refuse_tainted(context, f"Tainted socket name '{server}'")
        request = Request(server, self.request.evaluate(context), TIMEOUT)
        if self.options is not None:
            set_options(request, self.options.evaluate(context))
        line_end = None if self.line_end is None else self.line_end.evaluate(context)
        try:
            answer = ask(request, context)
        except SocketError as error:
            if self.failure is None:
                raise ExpandError(str(error)) from None
            return self.failure.evaluate(context)
        return Tainted(answer if not line_end else answer.replace("\n", line_end))


def set_options(request: Request, text: str) -> None:
    """``3s:shutdown=no:tls=yes``: a timeout first, then settings."""
    words = split(text)
    if words and "=" not in words[0]:
        try:
            request.timeout = float(seconds(words[0]))
        except ValueError:
            raise ExpandError("bad time value " + words[0]) from None
        words = words[1:]
    for word in words:
        request.set(word)


@syntax("readsocket")
def parse_readsocket(parser: Parser, name: str) -> Node:
    """``${readsocket{name}{request}{options}{line end}{failure}}``."""
    found: list[Node] = []
    while parser.skip_space() == "{" and len(found) < 5:
        parser.at += 1
        found.append(parser.braced())
    if len(found) < 2:
        raise Fault("Not enough arguments for 'readsocket' (min is 2)", parser.at)
    if parser.text[parser.at : parser.at + 1] != "}":
        raise Fault("missing '}' closing readsocket", parser.at)
    parser.at += 1
    return ReadSocket(found)

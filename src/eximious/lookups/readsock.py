"""readsock: what a server answers to a request: ``/path/of/socket request`` or ``inet:host:port request``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import Defer, ExpandError
from eximious.expand.refusal import refuse_tainted
from eximious.lookups.base import Options, QueryLookup, lookups
from eximious.lookups.sockets import Request, SocketError, ask
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context

TIMEOUT = 5.0  # seconds


class ReadSock(QueryLookup):
    """All that comes until the server closes the connection. Options are those of ``${readsocket``, with commas."""

    name = "readsock"
    options = ("file", "timeout", "shutdown", "tls", "sni", "eol", "send")
    needs_quoting = False

    def find_query(self, context: Context, query: str, options: Options) -> str | None:
        from eximious.config.numbers import seconds

        name = options.get("file", "")
        if not name:
            name, _, query = query.partition(" ") if query.__class__ is str else (query, "", "")
        if name.__class__ is Tainted:
            raise refuse_tainted(context, f"Tainted socket name '{name}'")
        request = Request(name, query if options.get("send") != "no" else "", TIMEOUT)
        if "timeout" in options:
            try:
                request.timeout = float(seconds(options["timeout"]))
            except ValueError:
                raise ExpandError(f"bad time value {options['timeout']}") from None
        for option in ("shutdown", "tls", "sni"):
            if option in options:
                request.set(f"{option}={options[option]}")
        try:
            answer = ask(request, context)
        except SocketError as error:
            raise Defer(str(error)) from None
        if "eol" in options:
            answer = answer.replace("\n", options["eol"])
        return Tainted(answer)


lookups.register("readsock")(ReadSock())

"""What mysql and pgsql have in common: a list of servers, connections that stay open, a library that blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from eximious.lookups.base import Found, Options, QueryLookup
from eximious.lookups.pool import Pool
from eximious.lookups.servers import LIMIT_OPTIONS, Limits, Server, demand_fields, first_answer, servers_for

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.lookups.cache import LookupCache

_ESCAPES: Final = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\b": r"\b", "'": r"\'", '"': r"\"", "\\": r"\\"}
_TO_ESCAPE: Final = re.compile(r"[\n\t\r\x08'\"\\]")


class SqlServerLookup(QueryLookup):
    """The rows of the result, a line each; the number of changed rows for a statement without a result."""

    options = ("servers", *LIMIT_OPTIONS)
    product = ""  # as Exim's messages about the list of servers call it
    short_name = ""  # as those about one server call it
    escapes: dict[str, str] = _ESCAPES

    def find_query(self, context: Context, query: str, options: Options) -> Found:
        servers, query = servers_for(context, self.name, self.product, query, options)
        limits = Limits(options)
        cache: LookupCache = context.services.lookups
        pool: Pool[Any] = cache.connections.setdefault(self.name, Pool(lambda connection: connection.close()))

        def ask(server: Server) -> Found:
            demand_fields(server, self.short_name)
            with pool.turn(server.text, limits.answer):
                return cache.in_thread(self.ask, server, query, pool, limits)

        return first_answer(servers, ask)

    def ask(self, server: Server, query: str, pool: Pool[Any], limits: Limits) -> Found:
        """The answer of one server, in a thread that may block. Raises Defer."""
        raise NotImplementedError

    def quote(self, text: str, option: str = "") -> str | None:
        return _TO_ESCAPE.sub(lambda found: self.escapes[found[0]], text)

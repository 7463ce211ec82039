"""Queries with text from outside: it must have been quoted for the lookup type that gets the query.

Exim goes on with such a query after a line in its main and panic logs, and so do we: a configuration that has always
worked must not stop working. (Exim says nothing where an option names the file of an SQLite query, which is no less
dangerous; we do.) ``eximious check`` reports the place without waiting for anybody to use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.taint import Tainted


def family(name: str) -> str:
    """The lookup type whose quoting suits the type of that name."""
    return "ldap" if name.startswith("ldap") else name


def check_quoting(context: Context, name: str, query: Tainted) -> None:
    """Log a query whose text from outside was not quoted for the lookup type of that name."""
    if query.quoter != family(name):
        why = f"tainted search query is not properly quoted{_where(context)}: {query}"
        context.services.logs.write(("main", "panic"), why, context.message.id)


def _where(context: Context) -> str:
    """What is being dealt with, for the log."""
    config: Any = context.config
    statement = context.facts.get("acl_statement")
    if statement is not None:
        return _shown(f"ACL {statement.verb}", statement)
    if context.transport_name:
        return _shown(f"transport {context.transport_name}", config.transports.get(context.transport_name))
    if context.router_name:
        routers = (router for router in config.routers if router.name == context.router_name)
        return _shown(f"router {context.router_name}", next(routers, None))
    return ""


def _shown(what: str, declared: Any) -> str:
    place = getattr(declared, "place", None)
    return f" ({what}, {place.file} {place.line})" if place is not None and place.file else f" ({what})"

"""Variables that come in rows: ``$n0`` to ``$n9``, ``$auth1`` to ``$auth4``, ..."""

from __future__ import annotations

from typing import Any

from eximious.errors import ExpandError
from eximious.expand.variable import family


@family("acl_arg", range(1, 10))
def acl_arg(context: Any, number: int) -> str | None:
    """The arguments that an ACL was called with."""
    arguments: list[str] = context.acl_arguments
    return arguments[number - 1] if number <= len(arguments) else None


@family("auth", range(1, 5))
def auth(context: Any, number: int) -> str | None:
    """What an authenticator has been told so far."""
    values: list[str] = context.facts.get("auth", ())
    return values[number - 1] if number <= len(values) else None


@family("n", range(10))
def n(context: Any, number: int) -> str:
    """Counters of a filter."""
    return _counter(context, "filter_counters", f"n{number}", number)


@family("sn", range(10))
def sn(context: Any, number: int) -> str:
    """Counters as the system filter left them."""
    return _counter(context, "system_filter_counters", f"sn{number}", number)


def _counter(context: Any, fact: str, name: str, number: int) -> str:
    """Outside of filters there is no such variable."""
    counters: list[int] | None = context.facts.get(fact)
    if counters is None:
        raise ExpandError(f'unknown variable name "{name}"')
    return str(counters[number])


@family("regex", range(1, 10))
def regex(context: Any, number: int) -> str | None:
    """What the groups of a regex condition caught."""
    caught: list[str] = context.facts.get("regex_captures", ())
    return caught[number - 1] if number <= len(caught) else None

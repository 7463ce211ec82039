"""Servers that query-style lookups ask: lists of them in the configuration, addresses, and limits of time."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from eximious.config.lists import split
from eximious.errors import Defer, ExpandError
from eximious.lookups.base import Options
from eximious.taint import Tainted, made_of

if TYPE_CHECKING:
    from eximious.context import Context

T = TypeVar("T")

CONNECT_TIMEOUT: Final = 10.0  # seconds
QUERY_TIMEOUT: Final = 30.0  # seconds for one answer
LIMIT_OPTIONS: Final = ("connect", "timeout")  # by which a query sets other limits

_OLD_FORM = re.compile(r"servers[ \t]*=[ \t]*([^;]*)(;?)(.*)\Z", re.DOTALL)


class Limits:
    """How long a query may take: for the connection, and for the answer; in seconds."""

    __slots__ = ("answer", "connect")

    def __init__(self, options: Options) -> None:
        """From the options of a lookup: ``connect=5s,timeout=1m``. Raises ExpandError for what is no time."""
        self.connect = _seconds(options, "connect", CONNECT_TIMEOUT)
        self.answer = _seconds(options, "timeout", QUERY_TIMEOUT)


def _seconds(options: Options, name: str, default: float) -> float:
    from eximious.config.numbers import seconds

    text = options.get(name)
    if text is None:
        return default
    try:
        found = float(seconds(text))
    except ValueError:
        found = 0.0
    if not found:
        raise ExpandError(f'bad time value "{text}" for the lookup option "{name}"')
    return found


class Clock:
    """The time for one answer, however many octets at a time it comes."""

    __slots__ = ("_end",)

    def __init__(self, limit: float) -> None:
        self._end = time.monotonic() + limit

    def left(self) -> float:
        """Seconds that are left. Raises TimeoutError if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        return left


class Server:
    """One server: ``host:port(socket)[group]/database/user/password``, or fewer of these."""

    __slots__ = ("fields", "group", "host", "port", "socket", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        end_of_socket = text.find(")") + 1 if "(" in text.partition("/")[0] else 0
        head, *self.fields = text[end_of_socket:].split("/")
        head = text[:end_of_socket] + head
        self.group = ""
        if head.endswith("]") and head.rfind("[") > 0:  # a first bracket is that of an IPv6 address
            head, _, self.group = head[:-1].rpartition("[")
        self.socket = ""
        if head.endswith(")"):
            head, _, path = head[:-1].rpartition("(")
            self.socket = path
        self.host, self.port = _host_and_port(head)

    def field(self, number: int) -> str:
        """What stands after the slash of that number, counted from 0; "" if nothing does."""
        return self.fields[number] if number < len(self.fields) else ""


def _host_and_port(head: str) -> tuple[str, int]:
    if head.startswith("["):
        host, _, rest = head[1:].partition("]")
        port = rest.lstrip(":.")
        return host, int(port) if port.isdecimal() else 0
    if head.count(":") > 1:  # an IPv6 address, with a dot before a port
        host, dot, port = head.rpartition(".")
        return (host, int(port)) if dot and port.isdecimal() else (head, 0)
    host, _, port = head.partition(":")
    return host, int(port) if port.isdecimal() else 0


def servers_for(context: Context, name: str, what: str, query: str, options: Options) -> tuple[list[Server], str]:
    """The servers to ask, in order, and the query without an old-fashioned list of servers before it.

    `name` is the lookup type, `what` its name in Exim's messages. Raises Defer if there are no servers.
    """
    configured: Sequence[str] = getattr(context.config.main, f"{name}_servers") or ()
    known = [Server(text) for text in configured]
    wanted = options.get("servers")
    if wanted is None and (old := _OLD_FORM.match(query)) is not None:
        wanted, semicolon, rest = old.groups()
        if not semicolon:
            raise Defer(f'missing ; after "servers=" in {what} lookup')
        context.services.logs.main("WARNING: obsolete syntax used for lookup", context.message.id)
        query = made_of(rest, [query]) if isinstance(query, Tainted) else rest
    if wanted is None:
        if not known:
            raise Defer(f"no {what} servers defined ({name}_servers option)")
        servers = known
    else:
        servers = [_complete(item, known, what, name) for item in split(wanted)]
    return servers, query


def _complete(item: str, known: list[Server], what: str, name: str) -> Server:
    """A server that a query names: all that is to be known of it, or only what stands before the first slash."""
    if "/" in item:
        return Server(item)
    for server in known:
        if f"{server.text}/".startswith(f"{item}/"):
            return server
    raise Defer(f'{what} server "{item}" not found in {name}_servers')


def first_answer(servers: Sequence[Server], ask: Callable[[Server], T]) -> T:
    """What the first of the servers says that can be asked. Raises the last one's Defer if none can."""
    error = Defer("the list of servers is empty")
    for server in servers:
        try:
            return ask(server)
        except Defer as failure:
            error = failure
    raise error


def demand_fields(server: Server, what: str) -> None:
    """Raise Defer unless database, user and password are there, if only as empty texts."""
    if len(server.fields) < 3:
        raise Defer(f"incomplete {what} server data: {server.text.rpartition('/')[0] or server.text}")


def addresses_of(server: Server, context: Context) -> list[str]:
    """The IP addresses of the server, or the path of its socket. Raises Defer if there are none."""
    from eximious.expand.ip import ip_version

    if server.socket:
        return [server.socket]
    if ip_version(server.host):
        return [server.host]
    if server.host in ("", "localhost"):
        return ["127.0.0.1", "::1"]
    found: list[str] = context.services.dns.hosts(server.host, qualify_single=True).data()
    if not found:
        from eximious.lists.host_name import system_addresses

        found = system_addresses(server.host)
    if not found:
        raise Defer(f"no IP address found for host {server.host}")
    return found

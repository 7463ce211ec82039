"""LDAP URLs (RFC 4516), and the settings that Exim's queries may have before them."""

from __future__ import annotations

import re
from typing import Final

from eximious.config.lists import split
from eximious.errors import Defer
from eximious.lookups.ldap_client import Search
from eximious.lookups.ldap_filter import FilterError, encode

SCOPES: Final = {"": 0, "base": 0, "one": 1, "sub": 2}
DEREFERENCES: Final = {"never": 0, "searching": 1, "finding": 2, "always": 3}
PORTS: Final = {"ldap": 389, "ldaps": 636, "ldapi": 0}

_SETTING = re.compile(r'[ \t\n]*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^ \t\n]*)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_URL = re.compile(r"(ldap|ldaps|ldapi)://([^/?]*)(?:/(.*))?\Z", re.DOTALL | re.IGNORECASE)


def unquoted(text: str) -> str:
    """The text without URL escapes."""
    return _PERCENT.sub(lambda found: chr(int(found[1], 16)), text)


class Query:
    """A query, taken apart."""

    __slots__ = (
        "attribute_count",
        "host",
        "net_timeout",
        "password",
        "port",
        "refers",
        "scheme",
        "search",
        "servers",
        "user",
    )

    def __init__(self) -> None:
        self.user = ""
        self.password = ""
        self.net_timeout = 0.0  # seconds; 0 for the usual
        self.refers = True
        self.servers: list[str] | None = None
        self.search = Search()
        self.attribute_count = 0
        self.scheme = "ldap"
        self.host = ""  # or a path; "" for the default servers
        self.port = 0


def parse(text: str, *, needs_url: bool = True) -> Query:
    """Read a query. Raises Defer with Exim's words."""
    query = Query()
    rest = text
    while (setting := _SETTING.match(rest)) is not None and "://" not in setting[0]:
        _set(query, setting[1].lower(), setting[2])
        rest = rest[setting.end() :]
    rest = rest.strip(" \t\n")
    url = _URL.match(rest)
    if url is None:
        if not needs_url and not rest:
            return query
        raise Defer("malformed parameter setting precedes LDAP URL")
    query.scheme = url[1].lower()
    _set_host(query, unquoted(url[2]))
    _set_search(query, url[3] or "")
    return query


def _set(query: Query, name: str, value: str) -> None:
    if value.startswith('"'):
        value = _ESCAPE.sub(r"\1", value[1:].removesuffix('"'))
    if name == "user":
        query.user = unquoted(value)
    elif name == "pass":
        query.password = value
    elif name == "servers":
        query.servers = split(value)
    elif name in ("size", "time", "nettime", "connect"):
        if not value.isdecimal():
            raise Defer(f"malformed parameter setting precedes LDAP URL: {name}={value}")
        _set_number(query, name, int(value[:9]))
    elif name == "dereference":
        if value.lower() not in DEREFERENCES:
            raise Defer(f'LDAP option "dereference" has unknown value "{value}"')
        query.search.dereference = DEREFERENCES[value.lower()]
    elif name == "referrals":
        query.refers = value.lower() != "nofollow"
    else:
        raise Defer(f'unknown parameter "{name}=" precedes LDAP URL')


def _set_number(query: Query, name: str, number: int) -> None:
    if name == "size":
        query.search.size_limit = number
    elif name == "time":
        query.search.time_limit = number
    else:
        query.net_timeout = float(number)


def _set_host(query: Query, text: str) -> None:
    query.host, query.port = host_and_port(text)


def host_and_port(text: str) -> tuple[str, int]:
    """``host:port``, ``[address]:port`` or a path; port 0 if there is none."""
    if text.startswith("/"):
        return text, 0
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.lstrip(":")
    else:
        host, _, port = text.partition(":")
    return host, int(port[:5]) if port.isdecimal() else 0


def _set_search(query: Query, text: str) -> None:
    """``base?attributes?scope?filter``."""
    parts = (text + "???").split("?")
    search = query.search
    search.base = unquoted(parts[0]).encode("latin-1")
    search.attributes = [unquoted(name).encode("latin-1") for name in parts[1].split(",") if name]
    query.attribute_count = len(search.attributes)
    if parts[2].lower() not in SCOPES:
        raise Defer(f"bad scope in LDAP URL: {parts[2]}")
    search.scope = SCOPES[parts[2].lower()]
    text_of_filter = unquoted("?".join(parts[3:]).rstrip("?")) or "(objectClass=*)"
    try:
        search.filter = encode(text_of_filter.encode("latin-1"))
    except FilterError as error:
        raise Defer(f"bad filter in LDAP URL: {error}") from None

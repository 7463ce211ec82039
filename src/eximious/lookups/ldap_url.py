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

BAD_SCOPE: Final = 8  # LDAP_URL_ERR_BADSCOPE of OpenLDAP

_NUMBER = re.compile(r"[0-9]{1,9}")
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
        "has_password",
        "has_user",
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
        self.has_user = False
        self.password = ""
        self.has_password = False
        self.net_timeout = 0.0  # seconds; 0 for the usual
        self.refers = True
        self.servers: list[str] | None = None
        self.search = Search()
        self.attribute_count = 0
        self.scheme = "ldap"
        self.host = ""  # or a path; "" for the default servers
        self.port = 0


def parse(text: str) -> Query:
    """Read a query. Raises Defer with Exim's words."""
    query = Query()
    rest = text
    while (setting := _SETTING.match(rest)) is not None and "://" not in setting[0]:
        _set(query, setting[1].lower(), setting[2])
        rest = rest[setting.end() :]
    rest = rest.strip(" \t\n")
    if _URL.match(rest) is None:
        if not rest.lower().startswith("ldap"):
            raise Defer("malformed parameter setting precedes LDAP URL")
        start = rest.partition("//")[0][:16]
        raise Defer(f'LDAP URL does not start with "ldap://", "ldaps://", or "ldapi://" (it starts with "{start}...")')
    _set_url(query, rest)
    return query


def _set(query: Query, name: str, value: str) -> None:
    if value.startswith('"'):
        value = _ESCAPE.sub(r"\1", value[1:].removesuffix('"'))
    if name == "user":
        query.user = unquoted(value)
        query.has_user = True
    elif name == "pass":
        query.password = value
        query.has_password = True
    elif name == "servers":
        query.servers = split(value)
    elif name in ("size", "time", "nettime", "connect"):
        found = _NUMBER.match(value)
        _set_number(query, name, int(found[0]) if found else 0)
    elif name == "dereference":
        query.search.dereference = DEREFERENCES.get(value.lower(), 0)
    elif name == "referrals":
        if value.lower() not in ("follow", "nofollow"):
            raise Defer('LDAP option REFERRALS is not "follow" or "nofollow"')
        query.refers = value.lower() == "follow"
    else:
        raise Defer(f'unknown parameter "{name}=" precedes LDAP URL')


def _set_number(query: Query, name: str, number: int) -> None:
    if name == "size":
        query.search.size_limit = number
    elif name == "time":
        query.search.time_limit = number
    else:
        query.net_timeout = float(number)


def _set_url(query: Query, text: str) -> None:
    url = _URL.match(text)
    assert url is not None
    query.scheme = url[1].lower()
    query.host, query.port = host_and_port(unquoted(url[2]))
    try:
        _set_search(query, url[3] or "")
    except ValueError:
        raise Defer(f'ldap_url_parse: (error {BAD_SCOPE}) parsing "{text}"\n') from None


def referred(query: Query, url: str) -> Query | None:
    """The same query for the server of a referral, whom we do not tell who we are; None if the URL makes no sense."""
    found = _URL.match(url)
    if found is None:
        return None
    asked = Query()
    asked.net_timeout, asked.attribute_count = query.net_timeout, query.attribute_count
    asked.scheme = found[1].lower()
    asked.host, asked.port = host_and_port(unquoted(found[2]))
    search, old = asked.search, query.search
    base = unquoted((found[3] or "").partition("?")[0])
    search.base = base.encode("latin-1", "replace") if base else old.base
    search.scope, search.filter, search.attributes = old.scope, old.filter, old.attributes
    search.dereference, search.size_limit, search.time_limit = old.dereference, old.size_limit, old.time_limit
    return asked


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
    """``base?attributes?scope?filter?extensions``; of the last none is known. Raises ValueError for a bad scope."""
    parts = (text + "???").split("?")
    search = query.search
    search.base = unquoted(parts[0]).encode("latin-1")
    search.attributes = [unquoted(name).encode("latin-1") for name in parts[1].split(",") if name]
    query.attribute_count = len(search.attributes)
    if parts[2].lower() not in SCOPES:
        raise ValueError
    search.scope = SCOPES[parts[2].lower()]
    text_of_filter = unquoted(parts[3]) or "(objectClass=*)"
    try:
        search.filter = encode(text_of_filter.encode("latin-1"))
    except FilterError:
        raise Defer("ldap_search failed: -7, Bad search filter") from None

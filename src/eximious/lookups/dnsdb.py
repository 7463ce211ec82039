"""dnsdb: records of the DNS. ``[>separators] [modifiers,] [type=]names``"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from eximious.config.lists import separator as separator_of
from eximious.config.lists import split
from eximious.config.numbers import seconds
from eximious.errors import Defer
from eximious.expand.ip import ip_version, reverse_name
from eximious.lookups.base import Options, QueryLookup, lookups
from eximious.octets import SPACE
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.dns.answer import Answer

# What may be asked for; most are types of the DNS, some are made up of others.
TYPES: Final = frozenset(
    {"a", "a+", "aaaa", "cname", "csa", "mx", "mxh", "ns", "ptr", "soa", "spf", "srv", "tlsa", "txt", "zns"}
)

_MODIFIER = re.compile(r"((?:defer|dnssec|retrans|retry)_)(\w+)[ \t\n]*,[ \t\n]*")
_TYPED = re.compile(r"[ \t\n]*([A-Za-z+]+)[ \t\n]*=(.*)\Z", re.DOTALL)


class Query:
    """A query, taken apart."""

    __slots__ = ("defer", "dnssec", "field_separator", "joins_fields", "names", "record_separator", "type")

    def __init__(self) -> None:
        self.record_separator = "\n"
        self.field_separator = ""  # "" for what the type has by itself
        self.joins_fields = False  # with a semicolon: fields follow each other without a separator
        self.defer = "lax"
        self.dnssec = "lax"
        self.type = "txt"
        self.names: list[str] = []


def parse(text: str) -> Query:
    """Read a query. Raises Defer with Exim's words for what it does not know."""
    query = Query()
    rest = _separators(query, text.lstrip(SPACE))
    while (modifier := _MODIFIER.match(rest)) is not None:
        _modify(query, modifier[1], modifier[2])
        rest = rest[modifier.end() :]
    typed = _TYPED.match(rest)
    if typed is not None:
        query.type = typed[1].lower()
        rest = typed[2]
        if query.type not in TYPES:
            raise Defer("unsupported DNS record type")
    query.names = _names(query.type, rest)
    return query


def _separators(query: Query, text: str) -> str:
    """Read ``>x``, ``>x,y`` or ``>x;``; gives what follows."""
    if not text.startswith(">") or len(text) < 2:
        return text
    query.record_separator = text[1]
    text = text[2:]
    if text.startswith(","):
        query.field_separator = text[1:2]
        text = text[2:]
    elif text.startswith(";"):
        query.joins_fields = True
        text = text[1:]
    return text.lstrip(SPACE)


def _modify(query: Query, kind: str, value: str) -> None:
    if kind == "defer_":
        if value not in ("strict", "lax", "never"):
            raise Defer("unsupported dnsdb defer behaviour")
        query.defer = value
    elif kind == "dnssec_":
        if value not in ("strict", "lax", "never"):
            raise Defer("unsupported dnsdb dnssec behaviour")
        query.dnssec = value
    elif kind == "retrans_":
        try:
            seconds(value)
        except ValueError:
            raise Defer("unsupported dnsdb timeout value") from None
    elif not value.isdecimal():
        raise Defer("unsupported dnsdb retry count")


def _names(type: str, text: str) -> list[str]:
    mark, _ = separator_of(text)
    if type == "ptr" and mark == ":" and ip_version(text.strip(SPACE)):
        return [text.strip(SPACE)]
    return [name for name in split(text) if name]


class DnsDb(QueryLookup):
    """The data of the records; several are separated by newlines."""

    name = "dnsdb"
    needs_quoting = False
    remembers = False  # the resolver does, for as long as the records say

    def find_query(self, context: Context, query: str, options: Options) -> str | None:
        asked = parse(query)
        texts: list[str] = []
        deferred = False
        context.facts["lookup_dnssec_authenticated"] = ""
        for name in asked.names:
            for type in ("aaaa", "a") if asked.type == "a+" else (asked.type,):
                answer = _ask(name, type, context)
                if answer.status.name in ("AGAIN", "FAIL") or (asked.dnssec == "strict" and not answer.is_secure):
                    if asked.defer == "strict":
                        raise Defer("")
                    deferred = deferred or asked.defer == "lax"
                    continue
                if asked.dnssec != "never":
                    context.facts["lookup_dnssec_authenticated"] = "yes" if answer.is_secure else "no"
                texts += _texts(asked, type, name, answer)
        if texts:
            return Tainted(asked.record_separator.join(texts))
        if deferred:
            raise Defer("")
        return None


def _ask(name: str, type: str, context: Context) -> Answer:
    dns = context.services.dns
    if type == "ptr" and ip_version(name):
        return dns.query(reverse_name(name), "PTR")
    if type in ("zns", "soa"):
        return _ask_upwards(name, "NS" if type == "zns" else "SOA", context)
    if type == "csa":
        return dns.query(f"_client._smtp.{name}", "SRV", check=False)
    if type == "mxh":
        type = "mx"
    if type == "mx":
        return dns.mx(name)
    return dns.query(name, type.upper(), check=False)


def _ask_upwards(name: str, type: str, context: Context) -> Answer:
    """The records of the name, or of the nearest domain above it that has some."""
    while True:
        answer = context.services.dns.query(name, type, check=False)
        name = name.partition(".")[2]
        if answer or not answer.is_absent or not name:
            return answer


def _texts(asked: Query, type: str, name: str, answer: Answer) -> list[str]:
    """The records as the lookup shows them."""
    show = _SHOW.get(type)
    if type == "csa":
        return [_client_authorisation(data) for data in answer.data() if data[0] == 1][:1]
    return [str(data) if show is None else show(data, asked) for data in answer.data()]


def _mx(data: Any, asked: Query) -> str:
    return f"{data[0]}{asked.field_separator or ' '}{data[1]}"


def _mx_host(data: Any, asked: Query) -> str:
    return str(data[1])


def _srv(data: Any, asked: Query) -> str:
    priority, weight, port, target = data
    return (asked.field_separator or " ").join([str(priority), str(weight), str(port), target.removesuffix(".")])


def _soa(data: Any, asked: Query) -> str:
    return asked.field_separator.join(map(str, data)) if asked.field_separator else str(data[0])


def _tlsa(data: Any, asked: Query) -> str:
    usage, selector, matching, digest = data
    return (asked.field_separator or " ").join([str(usage), str(selector), str(matching), digest.hex()])


def _txt(data: Any, asked: Query) -> str:
    parts = [part.decode("latin-1") for part in data]
    if asked.joins_fields:
        return "".join(parts)
    return asked.field_separator.join(parts) if asked.field_separator else parts[0] if parts else ""


def _spf(data: Any, asked: Query) -> str:
    return asked.field_separator.join(part.decode("latin-1") for part in data)


def _client_authorisation(data: Any) -> str:
    """The code of a Client SMTP Authorization record, and its target."""
    _, weight, port, target = data
    code = {1: "N", 2: "Y"}.get(weight, "X" if port & 1 else "?")
    return f"{code} {target}"


_SHOW: Final = {
    "mx": _mx,
    "mxh": _mx_host,
    "soa": _soa,
    "spf": _spf,
    "srv": _srv,
    "tlsa": _tlsa,
    "txt": _txt,
}

lookups.register("dnsdb")(DnsDb())

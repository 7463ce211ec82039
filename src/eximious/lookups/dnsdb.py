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
from eximious.lookups.csa import find_records, name_to_ask
from eximious.octets import SPACE
from eximious.taint import Tainted

if TYPE_CHECKING:
    from eximious.context import Context
    from eximious.dns.answer import Answer
    from eximious.dns.resolver import Resolver

# What may be asked for; most are types of the DNS, some are made up of others.
TYPES: Final = frozenset(
    {"a", "a+", "aaaa", "cname", "csa", "mx", "mxh", "ns", "ptr", "soa", "spf", "srv", "tlsa", "txt", "zns"}
)

_MODIFIER = re.compile(r"(defer|dnssec|retrans|retry)_", re.IGNORECASE)
_BEHAVIOUR = re.compile(r"strict|lax|never", re.IGNORECASE)
_UP_TO_COMMA = re.compile(r"[^,]*")
_NUMBER = re.compile(r"[0-9]*")
_END_OF_MODIFIER = re.compile(r"[ \t\n\r\f\v]*,[ \t\n\r\f\v]*")


class Query:
    """A query, taken apart."""

    __slots__ = (
        "attempts",
        "defer",
        "dnssec",
        "field_separator",
        "joins_fields",
        "names",
        "record_separator",
        "retransmit_seconds",
        "type",
    )

    def __init__(self) -> None:
        self.record_separator = "\n"
        self.field_separator = ""  # "" for what the type has by itself
        self.joins_fields = False  # with a semicolon: fields follow each other without a separator
        self.defer = "lax"
        self.dnssec = "lax"
        self.retransmit_seconds = 0.0  # 0: as dns_retrans says
        self.attempts = 0  # 0: as dns_retry says
        self.type = "txt"
        self.names: list[str] = []


def parse(text: str) -> Query:
    """Read a query. Raises Defer with Exim's words for what it does not know."""
    query = Query()
    rest = _separators(query, text.lstrip(SPACE))
    while (modifier := _MODIFIER.match(rest)) is not None:
        rest = _modify(query, modifier[1].lower(), rest[modifier.end() :])
    name, equals, names = rest.partition("=")
    if equals:
        query.type = name.strip(SPACE).lower()
        rest = names
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


def _modify(query: Query, kind: str, text: str) -> str:
    """Take a modifier's value from the text; gives what follows its comma."""
    if kind in ("defer", "dnssec"):
        found = _BEHAVIOUR.match(text)
        if found is None:
            raise Defer(f"unsupported dnsdb {kind} behaviour")
        setattr(query, kind, found[0].lower())
    elif kind == "retrans":
        found = _UP_TO_COMMA.match(text)
        assert found is not None
        try:
            query.retransmit_seconds = float(seconds(found[0].strip(SPACE)))
        except ValueError:
            raise Defer("unsupported dnsdb timeout value") from None
    else:
        found = _NUMBER.match(text)
        assert found is not None
        query.attempts = int(found[0][:4] or 0)
    comma = _END_OF_MODIFIER.match(text, found.end())
    if comma is None:
        raise Defer("dnsdb modifier syntax error")
    return text[comma.end() :]


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
        dns = context.services.dns
        if asked.retransmit_seconds or asked.attempts:
            dns = dns.limited(asked.retransmit_seconds, asked.attempts)
        texts: list[str] = []
        deferred = False
        context.facts["lookup_dnssec_authenticated"] = ""
        for name in asked.names:
            for type in ("aaaa", "a") if asked.type == "a+" else (asked.type,):
                answer, is_parent = _ask(name, type, dns, context)
                if answer.status.name in ("AGAIN", "FAIL") or (asked.dnssec == "strict" and not answer.is_secure):
                    if asked.defer == "strict":
                        raise Defer("")
                    deferred = deferred or asked.defer == "lax"
                    continue
                if asked.dnssec != "never":
                    context.facts["lookup_dnssec_authenticated"] = "yes" if answer.is_secure else "no"
                texts += _texts(asked, type, answer, is_parent=is_parent)
        if texts:
            return Tainted(asked.record_separator.join(texts))
        if deferred:
            raise Defer("")
        return None


def _ask(name: str, type: str, dns: Resolver, context: Context) -> tuple[Answer, bool]:
    """The answer, and whether it is that of a parent domain, which has another meaning for CSA."""
    if type == "csa":
        name = name_to_ask(name, context)
        return find_records(name, dns, context) if name else (dns.query("", "SRV"), False)
    return _ask_plainly(name, type, dns), False


def _ask_plainly(name: str, type: str, dns: Resolver) -> Answer:
    if type == "ptr" and ip_version(name):
        return dns.query(reverse_name(name), "PTR")
    if type in ("zns", "soa"):
        return _ask_upwards(name, "NS" if type == "zns" else "SOA", dns)
    if type in ("mx", "mxh"):
        return dns.mx(name)
    return dns.query(name, type.upper(), check=False)


def _ask_upwards(name: str, type: str, dns: Resolver) -> Answer:
    """The records of the name, or of the nearest domain above it that has some."""
    while True:
        answer = dns.query(name, type, check=False)
        name = name.partition(".")[2]
        if answer or not answer.is_absent or not name:
            return answer


def _texts(asked: Query, type: str, answer: Answer, *, is_parent: bool) -> list[str]:
    """The records as the lookup shows them."""
    if type == "csa":
        codes = [_client_authorisation(data, is_parent=is_parent) for data in answer.data()]
        return [code for code in codes if code is not None]
    show = _SHOW.get(type)
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


def _client_authorisation(data: Any, *, is_parent: bool) -> str | None:
    """The code of a Client SMTP Authorization record, and its target; None for what is no such record."""
    version, weight, port, target = data
    if version != 1:
        return None
    if is_parent:  # it says something about names without a record
        return f"{'X' if port & 1 else '?'} {target}"
    code = "N" if weight < 2 else {2: "Y", 3: "?"}.get(weight)
    return None if code is None else f"{code} {target}"


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

"""The one thing the library asks of its surroundings: DNS answers.

A resolver is any object with ``async def query(name, type) -> Answer``. There is `StaticResolver` for tests and
examples, `DnspythonResolver` around any resolver of dnspython, and `eximious.mailauth.program_resolver` for the mail
server's own.

    >>> import asyncio
    >>> resolver = StaticResolver({"example.org": {"TXT": ["v=spf1 -all"]}})
    >>> asyncio.run(resolver.query("example.org", "TXT")).data
    (b'v=spf1 -all',)
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    import dns.name
    import dns.resolver

NAME_LIMIT: Final = 253  # octets of a name in text form
LABEL_LIMIT: Final = 63  # octets of a label
_LABELS: Final = re.compile(rf"(?:[^.]{{1,{LABEL_LIMIT}}}(?:\.|\Z))+")


class Outcome(enum.Enum):
    """What came of a question. NODATA is a name that exists without such records; FAILED may be different later."""

    FOUND = "found"
    NODATA = "no data"
    NXDOMAIN = "no such name"
    FAILED = "failed"


class Answer:
    """The outcome of one question. Whoever gives the same answer twice should give the same object.

    `data` is a tuple: of octets for TXT (the strings of a record joined), of text for A, AAAA, PTR, CNAME and NS (names
    without the final dot), of (preference, name) for MX. `parsed` is where users of the answer keep what they made of
    it, by a key of their own, so that it lives as long as the answer.
    """

    __slots__ = ("data", "is_secure", "outcome", "parsed", "why")

    def __init__(self, outcome: Outcome, data: tuple[Any, ...] = (), *, why: str = "", is_secure: bool = False) -> None:
        self.outcome = outcome
        self.data = data
        self.why = why  # for FAILED: what happened
        self.is_secure = is_secure  # validated by DNSSEC, by somebody trusted
        self.parsed: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Answer({self.outcome.name}, {self.data!r})"


NO_SUCH_NAME: Final = Answer(Outcome.NXDOMAIN)
NO_DATA: Final = Answer(Outcome.NODATA)


class Resolver(Protocol):
    """Answers questions. `type` is A, AAAA, MX, PTR or TXT; CNAMEs are followed; nothing is raised."""

    async def query(self, name: str, type: str) -> Answer:
        """The records of one type."""
        ...


def is_askable(name: str) -> bool:
    """True if the text can be a domain name at all: labels of 1 to 63 octets, 253 in all."""
    return len(name) <= NAME_LIMIT and _LABELS.fullmatch(name) is not None


def reverse_name(address: str) -> str:
    """The name under which an address has its PTR records."""
    return ipaddress.ip_address(address).reverse_pointer


class StaticResolver:
    """Answers from a table: ``{"example.org": {"TXT": ["v=spf1 -all"], "MX": [(10, "mx.example.org")]}}``.

    Instead of the records of a name, or of one type, ``None`` says that asking fails. A name that only stands above one
    in the table exists without data. `asked` lists the questions, in order, as (name, type).
    """

    def __init__(self, zone: Mapping[str, Mapping[str, Iterable[Any] | None] | None] | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._answers: dict[tuple[str, str], Answer] = {}
        self._names: set[str] = set()
        self._failing: set[str] = set()
        self._cnames: dict[str, str] = {}
        for name, records in (zone or {}).items():
            if records is None:
                self._failing.add(_plain(name))
                self._exists(_plain(name))
                continue
            for type, data in records.items():
                self.add(name, type, data)

    def add(self, name: str, type: str, data: Iterable[Any] | None) -> None:
        """Set the records of a type; None makes it fail."""
        name = _plain(name)
        self._exists(name)
        if data is None:
            self._answers[name, type] = Answer(Outcome.FAILED, why="the table says so")
            return
        converted = tuple(_converted(type, one) for one in data)
        if type == "CNAME":
            self._cnames[name] = converted[0]
        self._answers[name, type] = Answer(Outcome.FOUND, converted) if converted else NO_DATA

    def _exists(self, name: str) -> None:
        while name:
            self._names.add(name)
            name = name.partition(".")[2]

    async def query(self, name: str, type: str) -> Answer:
        """The records of one type."""
        self.asked.append((name, type))
        wanted = name.lower().removesuffix(".")
        for _ in range(10):
            answer = self._answers.get((wanted, type))
            if answer is not None:
                return answer
            if wanted in self._failing:
                return Answer(Outcome.FAILED, why="the table says so")
            if wanted not in self._cnames:
                break
            wanted = self._cnames[wanted].lower()
        else:
            return Answer(Outcome.FAILED, why="CNAMEs in a circle")
        return NO_DATA if wanted in self._names else NO_SUCH_NAME


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _converted(type: str, data: Any) -> Any:
    match type:
        case "TXT":
            if isinstance(data, (list, tuple)):
                return b"".join(_converted(type, part) for part in data)
            return data if isinstance(data, bytes) else str(data).encode("utf-8")
        case "MX":
            return int(data[0]), str(data[1]).removesuffix(".")
        case _:
            return str(data).removesuffix(".")


class DnspythonResolver:
    """Around a resolver of dnspython, of either kind; without one it makes an asynchronous one with a cache.

    Those of ``dns.asyncresolver`` are awaited, those of ``dns.resolver`` called in a thread. Caches are the resolver's
    (``resolver.cache = dns.resolver.LRUCache()``). `seconds` is for one question, with all tries. Without a resolver,
    raises dns.resolver.NoResolverConfiguration if the system has none to take the servers from.
    """

    def __init__(self, resolver: dns.resolver.BaseResolver | None = None, *, seconds: float = 10.0) -> None:
        import dns.asyncresolver
        import dns.resolver

        if resolver is None:
            resolver = dns.asyncresolver.Resolver()
            resolver.cache = dns.resolver.LRUCache()
        self._resolver: Any = resolver
        self._blocks = isinstance(resolver, dns.resolver.Resolver)
        self._seconds = seconds
        self._made: dict[int, tuple[Any, Answer]] = {}

    async def query(self, name: str, type: str) -> Answer:
        """The records of one type."""
        import dns.exception
        import dns.name
        import dns.resolver

        try:
            asked = dns.name.from_text(_escaped(name))
            found = await self._resolve(asked, type)
        except dns.resolver.NXDOMAIN:
            return NO_SUCH_NAME
        except dns.resolver.NoAnswer:
            return NO_DATA
        except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel, dns.name.BadEscape):
            return NO_SUCH_NAME
        except (dns.exception.DNSException, OSError) as error:
            return Answer(Outcome.FAILED, why=str(error) or type)
        return self._answer(found, type)

    async def _resolve(self, name: dns.name.Name, type: str) -> Any:
        if not self._blocks:
            return await self._resolver.resolve(name, type, lifetime=self._seconds, search=False)
        import asyncio

        return await asyncio.to_thread(self._resolver.resolve, name, type, lifetime=self._seconds, search=False)

    def _answer(self, found: Any, type: str) -> Answer:
        """The same object for an answer that comes from the resolver's cache again."""
        key = id(found.response)
        known = self._made.get(key)
        if known is not None and known[0] is found.response:
            return known[1]
        import dns.flags

        secure = bool(found.response.flags & dns.flags.AD)
        answer = Answer(Outcome.FOUND, tuple(_dnspython_data(type, one) for one in found), is_secure=secure)
        if len(self._made) >= 10_000:
            self._made.pop(next(iter(self._made)))
        self._made[key] = (found.response, answer)
        return answer


def _escaped(name: str) -> str:
    """A name with octets that mean something to dnspython's reader made plain."""
    return "".join(
        one if (one.isalnum() and one.isascii()) or one in "-._" else f"\\{ord(one) & 255:03d}" for one in name
    )


def _dnspython_data(type: str, rdata: Any) -> Any:
    match type:
        case "TXT":
            return b"".join(rdata.strings)
        case "MX":
            return int(rdata.preference), str(rdata.exchange).removesuffix(".")
        case "PTR" | "CNAME" | "NS":
            return str(rdata.target).removesuffix(".")
        case _:
            return str(rdata.address)
